// What each branch carries of a class's logit: a map, and the chosen module's way step by step.
const find = (selector) => element.querySelector(selector);
const [both, finding, button] = [".both", ".finding", "[data-account]"].map(find);
const { state } = gnet;
let shown = null; // the server's answer
const follow = gnet.cells.follow("account", { button, dimmed: both, ask: (question) => trigger("accounted", question) });
const mark = gnet.cells.switches(find(".map"));

function cell(name) {
  const value = shown.branches[name];
  if (value === null) return gnet.cells.empty(shown.head);
  return gnet.cells.button(name, value, shown.limit, `${name}: ${gnet.fixed(value)}`, "0");
}

function show() {
  both.hidden = !shown;
  if (!shown) return;
  finding.textContent = shown.sentence;
  find(".note").textContent = shown.note;
  find(".map").innerHTML = gnet.cells.table(`−${gnet.number(shown.limit)} to ${gnet.number(shown.limit)}`, cell);
  mark();
  fall();
}

// From the plain picture's logit to this one's, each branch of the chosen module a step.
function fall() {
  if (!shown || !(state.stage in shown.errors)) return find(".fall").replaceChildren();
  const { words, errors } = shown;
  let at = shown.from;
  const step = (kind, label, value) => ({ kind, label, value, from: at, to: (at += value) });
  const steps = [
    { kind: "", label: words.from, value: shown.from, from: 0, to: shown.from },
    ...gnet.branches().map((b) => step(`b${b}`, gnet.label(b), shown.branches[`${state.stage}/${b}`])),
    step("", words.error, -errors[state.stage]),
    { kind: "", label: words.to, value: shown.to, from: 0, to: shown.to },
  ];
  const [low, high] = [Math.min, Math.max].map((most) => most(0, ...steps.map((one) => one.to)));
  const part = (value) => (100 * (value - low)) / (high - low || 1);
  const row = ({ kind, label, value, from, to }) =>
    `<li class="${kind}"><span>${gnet.escape(label)}</span><i><b style="left:${part(Math.min(from, to)).toFixed(1)}%;` +
    `width:${Math.abs(part(to) - part(from)).toFixed(1)}%"></b></i><b>${gnet.fixed(value)}</b></li>`;
  find(".fall").innerHTML = `<h3>${state.stage}</h3><ol>${steps.map(row).join("")}</ol>`;
}

watch("value", () => {
  shown = state.account = JSON.parse(props.value);
  show();
  gnet.tell(["account"]);
});
gnet.draw((changed) => {
  const target = gnet.target();
  find(".class").textContent = target === null ? "a class" : state.network.classes[target];
  follow(changed);
  if (changed.has("stage")) fall();
  if (changed.has("switches")) mark();
});
