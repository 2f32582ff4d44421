// Which network is shown, the three models in one with their costs and files, a text for learners.
const find = (selector) => element.querySelector(selector);
const { state } = gnet.plan;
const [size, all, saving] = [".size", ".all", ".saving"].map(find);
let busy = false;

function ask() {
  const question = gnet.plan.question({ ...(state.size && { size: state.size }) });
  if (!state.shown) find("h2").textContent = gnet.say("plan counting");
  line.ask(question);
}
const line = gnet.asking("show_architecture", (question) => {
  props.value = question;
  trigger("asked");
});

const button = (head, format) =>
  `<button type="button" data-head="${head}" data-format="${format}" aria-label="${gnet.escape(gnet.say("plan save", { what: head || gnet.say("plan whole"), format: format.toUpperCase() }))}">${format.toUpperCase()}</button>`;

function card(head, title, { parameters, macs, part }) {
  const pressed = String(state.head === head);
  return (
    `<div class="model ${head}"><button type="button" class="choose" data-choose="${head}" aria-pressed="${pressed}">${gnet.escape(title)}</button>` +
    `<p><b>${parameters}</b> ${gnet.say("plan parameters")}</p><p><b>${macs}</b> ${gnet.say("plan macs")}</p>` +
    `<p class="part">${gnet.escape(part)}</p><p class="save">${button(head, "json")} ${button(head, "onnx")}</p></div>`
  );
}

function models() {
  const { shown } = state;
  const one = shown.models.length === 1;
  const whole = card("", gnet.say("plan whole"), { ...shown.whole, part: gnet.say(one ? "plan one head" : "plan all heads") });
  find(".models").innerHTML = whole + shown.models.map((model) => card(model.head, model.title, { ...model.words, part: model.words.part })).join("");
}

function presets() {
  for (const button of find(".presets").children) button.ariaPressed = String(button.dataset.preset === state.preset);
}

function show() {
  const { shown } = state;
  find("h2").innerHTML = `<b>${gnet.escape(shown.name)}</b>`;
  find(".about").textContent = shown.about;
  find(".together").textContent = shown.together;
  find(".presets").innerHTML = [["", gnet.state.network.name], ...shown.presets.map(({ id }) => [id, id])]
    .map(([id, name]) => `<button type="button" data-preset="${id}" aria-pressed="${id === state.preset}">${gnet.escape(name)}</button>`)
    .join("");
  size.replaceChildren(...shown.sizes.map((one) => new Option(one.words, one.size)));
  if (!shown.sizes.some((one) => one.size === shown.size)) size.append(new Option(gnet.say("plan px", shown), shown.size));
  size.value = shown.size;
  gnet.learning.put(find(".learn"), shown.learn);
  models();
}

element.addEventListener("click", ({ target }) => {
  const { preset, choose, format, head } = target.dataset;
  if (preset !== undefined) gnet.plan.change({ preset, size: null, block: "" });
  if (choose !== undefined) gnet.plan.change({ head: choose });
  if (format) save(format, head);
});
// Other parts save, too: the table and the drawing.
document.addEventListener("gnet-plan-save", ({ detail }) => save(detail, state.head));
function save(format, head) {
  if (busy || !state.shown) return;
  busy = true;
  saving.textContent = gnet.say(format === "onnx" ? "plan writing" : "plan describing");
  const onnx = format === "onnx";
  props.value = gnet.plan.question({ format, head, branches: onnx && all.checked, ...(!onnx && { size: state.shown.size }) });
  trigger("saved");
}
size.addEventListener("change", () => gnet.plan.change({ size: Number(size.value) }));

watch("value", () => {
  const { value } = props;
  if (value?.url) {
    saving.textContent = [gnet.say("plan saved", { name: value.orig_name }), value.said].filter(Boolean).join(" ");
    Object.assign(document.createElement("a"), { href: value.url, download: value.orig_name }).click();
  }
  if (typeof value !== "string") return;
  const answer = JSON.parse(value);
  line.over();
  if (!gnet.plan.meant(answer)) return;
  const missing = state.head && !answer.models.some((model) => model.head === state.head);
  gnet.plan.change({ shown: answer, ...(missing && { head: "" }) });
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what === "save_architecture") {
    busy = false;
    if (!answered) saving.textContent = "";
  }
  if (what !== "show_architecture" || answered) return;
  if (state.size) gnet.plan.change({ size: null });
  else if (state.preset) gnet.plan.change({ preset: "" });
});
gnet.draw((changed) => {
  if (["network", "tab", "plan preset", "plan size"].some((one) => changed.has(one))) ask();
  if (!state.shown) return;
  find(".models").classList.toggle("dim", !gnet.plan.meant(state.shown));
  if (changed.has("plan shown") || changed.has("answer")) show();
  else if (changed.has("plan head")) models();
  presets();
}, ["architecture"], true);
