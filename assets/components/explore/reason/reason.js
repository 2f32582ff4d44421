// The last attribution: its map over the picture, its range and the number that could prove it wrong.
const find = (selector) => element.querySelector(selector);
const { number } = gnet;
let found = null;
let painted = null;

function show() {
  find(".found").hidden = !found;
  if (!found) return;
  const { answer, head, stage } = gnet.state;
  const other = found.key !== answer.key;
  const strange = (found.net ?? "") !== (answer.net ?? "");
  if (!other && painted !== found) {
    const map = { data: found.map, limit: found.limit };
    const size = answer.picture.size;
    gnet.overlay(find(".map"), map, [size, size], [1, 1, 0], found.limit, found.signed, true);
    painted = found;
  }
  const title = `${found.label} for “${found.target_name}” at ${found.head}`;
  find(".map").setAttribute("aria-label", title);
  find("h3").textContent = title;
  find(".finding").textContent = found.finding;
  find(".sentence").textContent = found.sentence;
  gnet.bar(find(".bar"), found.signed);
  const most = number(found.limit);
  find(".from").textContent = found.signed ? `−${most}` : "0";
  find(".to").textContent = found.signed ? `0 in the middle, ${most}` : most;
  const ends = `Values from ${number(found.low)} to ${number(found.high)}, in ${found.unit}.`;
  const beyond = found.beyond ? "One in two hundred values lies outside the scale." : "";
  // Where the map sums to something, the finding speaks of that and not of its range.
  find(".range").textContent = found.completeness_error === null ? beyond : `${ends} ${beyond}`;
  const method = document.querySelector("#method input:checked")?.value ?? found.method;
  const differs = [
    strange ? "another network" : other && "another picture",
    found.method !== method && "another method",
    found.head !== head && `head ${found.head}`,
    found.target !== gnet.target() && `the class “${found.target_name}”`,
    found.stage && found.stage !== stage && `module ${found.stage}`,
  ].filter(Boolean);
  find(".stale").textContent = differs.length
    ? `This answers for ${differs.join(", ")}; ask again for what is chosen now.`
    : "";
  find(".found").classList.toggle("dim", differs.length > 0);
}

watch("value", () => {
  found = JSON.parse(props.value);
  show();
});
document.addEventListener("change", (event) => {
  if (event.target.closest("#method")) show();
});
gnet.draw((changed) => {
  if (changed.has("answer") && gnet.state.answer.why) found = gnet.state.answer.why;
  show();
});
