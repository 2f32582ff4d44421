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

function cell(name, setting) {
  const value = shown.branches[name][setting];
  if (!value) return gnet.cells.empty(shown.head);
  const [logit, points] = [gnet.number(-value.logit), gnet.number(-100 * value.probability)];
  const words = gnet.say("worth", { name, setting, logit, points });
  return gnet.cells.button(name, value.logit, shown.limit, words, setting === "off" ? "0" : setting);
}

function show() {
  maps.hidden = !shown;
  if (!shown) return;
  finding.textContent = shown.sentence;
  maps.classList.remove("dim");
  maps.innerHTML =
    gnet.cells.table(gnet.say("worth off"), (name) => cell(name, "off")) +
    gnet.cells.table(gnet.say("worth mean", shown), (name) => cell(name, "mean")) +
    `<p class="note">${gnet.say("worth scale", { limit: gnet.number(shown.limit) })} ${gnet.escape(shown.note)}</p>`;
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
  shown = state.worth = JSON.parse(props.value);
  show();
  gnet.tell(["worth"]);
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what !== "worth") return;
  button.disabled = false;
  if (!answered) asked = "";
});
gnet.draw((changed) => {
  const target = gnet.target();
  find(".class").textContent = target === null ? "a class" : state.network.classes[target];
  open ||= state.lanes === "worth";
  if (open && ["answer", "lanes", "head", "target"].some((what) => changed.has(what))) ask();
  if (changed.has("switches")) mark();
});
