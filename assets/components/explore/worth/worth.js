// The 36-cell map: how far a class falls in a head without each branch, off and at its mean.
const find = (selector) => element.querySelector(selector);
const [maps, finding, button] = [".maps", ".finding", "[data-weigh]"].map(find);
const { state } = gnet;
let shown = null; // the server's answer
const follow = gnet.cells.follow("worth", { button, dimmed: maps, ask: (question) => trigger("weighed", question) });
const mark = gnet.cells.switches(maps);

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
  maps.innerHTML =
    gnet.cells.table(gnet.say("worth off"), (name) => cell(name, "off")) +
    gnet.cells.table(gnet.say("worth mean", shown), (name) => cell(name, "mean")) +
    `<p class="note">${gnet.say("worth scale", { limit: gnet.number(shown.limit) })} ${gnet.escape(shown.note)}</p>`;
  mark();
}

watch("value", () => {
  shown = state.worth = JSON.parse(props.value);
  show();
  gnet.tell(["worth"]);
});
gnet.draw((changed) => {
  const target = gnet.target();
  find(".class").textContent = target === null ? "a class" : state.network.classes[target];
  follow(changed);
  if (changed.has("switches")) mark();
});
