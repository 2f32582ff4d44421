// The 36-cell map: how far a class falls in a head without each branch, off and at its mean.
const find = (selector) => element.querySelector(selector);
const [maps, finding, button] = [".maps", ".finding", "[data-weigh]"].map(find);
const { switching, state } = gnet;
let shown = null; // the server's answer
let asked = "";
let open = false; // whether the map is wanted: it then follows class, head and picture

const question = () => JSON.stringify([state.whole.key, state.head, gnet.target()]);

function ask() {
  const words = question();
  if (words === asked || gnet.target() === null) return;
  asked = words;
  maps.classList.add("dim");
  button.disabled = true;
  trigger("weighed", { key: state.whole.key, head: state.head, class_index: gnet.target() });
}

function table(setting, title) {
  const stages = Object.keys(state.network.widths);
  const heads = gnet.branches().map((b) => `<th scope="col" class="b${b}">${gnet.label(b)}</th>`);
  const rows = stages.map((stage) => {
    const cells = gnet.branches().map((branch) => cell(`${stage}/${branch}`, setting));
    return `<tr><th scope="row">${stage}</th>${cells.join("")}</tr>`;
  });
  return `<table><caption>${gnet.escape(title)}</caption><tr><td></td>${heads.join("")}</tr>${rows.join("")}</table>`;
}

function cell(name, setting) {
  const value = shown.branches[name][setting];
  if (!value) return `<td title="${name} lies behind ${shown.head}">–</td>`;
  const limit = shown.limit;
  const ink = Math.abs(value.logit) > 0.6 * limit ? "#fff" : "#1c1e21";
  const words = `${name} ${setting}: logit ${gnet.number(-value.logit)}, probability ${gnet.number(-100 * value.probability)} points`;
  return (
    `<td><button type="button" data-cell="${name}" data-setting="${setting === "off" ? 0 : setting}" title="${words}"` +
    ` aria-label="${words}" style="background:${gnet.colour(value.logit, limit, true)};color:${ink}">` +
    `${value.logit.toFixed(2).replace(/^-0\.00$/, "0.00").replace("-", "−")}</button></td>`
  );
}

function show() {
  maps.hidden = !shown;
  if (!shown) return;
  finding.textContent = shown.sentence;
  maps.classList.remove("dim");
  maps.innerHTML =
    table("off", "branch off") +
    table("mean", `branch at its mean over ${shown.reference}`) +
    `<p class="note">One scale, −${gnet.number(shown.limit)} to ${gnet.number(shown.limit)}. ${gnet.escape(shown.note)}</p>`;
  mark();
}

function mark() {
  const all = switching.read();
  for (const one of maps.querySelectorAll("[data-cell]")) {
    one.ariaPressed = String(all[one.dataset.cell] === one.dataset.setting);
  }
}

button.addEventListener("click", () => {
  open = true;
  ask();
});
maps.addEventListener("click", (event) => {
  const { cell: name, setting } = event.target.dataset;
  if (!name) return;
  const [stage, branch] = name.split("/");
  gnet.choose({ stage, branch: null });
  switching.set(stage, branch, switching.of(stage, branch) === setting ? "1" : setting);
});
watch("value", () => {
  shown = JSON.parse(props.value);
  show();
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what !== "worth") return;
  button.disabled = false;
  if (!answered) asked = "";
});
gnet.draw((changed) => {
  const target = gnet.target();
  find(".class").textContent = target === null ? "a class" : state.network.classes[target];
  if (open && ["answer", "head", "target"].some((what) => changed.has(what))) ask();
  if (changed.has("switches")) mark();
});
