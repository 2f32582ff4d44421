// The last attribution: its map over the picture, its range and the number that could prove it wrong.
const find = (selector) => element.querySelector(selector);
const { number } = gnet;
let found = null;
let painted = null;

// What it answers; the question compares it with what is chosen now.
function taken(given) {
  const { key, net, method, head, target, stage } = given;
  found = { ...given, question: [key, net ?? "", method, head, target, stage].join("|") };
  gnet.found = found;
}

function show() {
  find(".found").hidden = !found;
  if (!found) return;
  const { answer, head } = gnet.state;
  const other = found.key !== answer.key || (found.net ?? "") !== (answer.net ?? "");
  if (!other && painted !== found) {
    const map = { data: found.map, limit: found.limit };
    const size = answer.picture.size;
    gnet.overlay(find(".map"), map, [size, size], [1, 1, 0], found.limit, found.signed, true);
    painted = found;
  }
  const title = `${found.label} for “${found.target_name}” at ${found.head}`;
  find(".map").ariaLabel = title;
  find("h3").textContent = title;
  find(".finding").innerHTML = gnet.marked(found.finding);
  find(".sentence").innerHTML = gnet.marked(found.sentence);
  gnet.bar(find(".bar"), found.signed);
  const most = number(found.limit);
  find(".from").textContent = found.signed ? `−${most}` : "0";
  find(".to").textContent = found.signed ? gnet.say("middle", { limit: most }) : most;
  find(".range").textContent = found.range;
  const differs =
    other || found.method !== gnet.method() || found.head !== head || found.target !== gnet.target() ||
    (found.stage && found.stage !== gnet.looked());
  find(".found").classList.toggle("dim", Boolean(differs));
}

watch("value", () => {
  const given = JSON.parse(props.value);
  if (given.done === undefined) {
    taken(given);
    show();
  }
  document.dispatchEvent(new CustomEvent("gnet-found", { detail: given }));
});
gnet.draw((changed) => {
  if (changed.has("answer") && gnet.state.answer.why) taken(gnet.state.answer.why);
  show();
});
