// The question: class, head, methods with their options; what it takes is told before, how far it is
// during.
const find = (selector) => element.querySelector(selector);
const [field, heads, pictures, bar] = [".class", ".head", ".picture", ".progress"].map(find);
const { state, why } = gnet;
const own = new Option("", "");
let asked = ""; // the network and the head that the form was asked for
let busy = false;
let first = true; // until the first answer, which quick methods give unasked
let turn = 0; // of the last price asked

pictures.append(own, ...props.examples.map(({ name, words }) => new Option(words, name)));
const form = () => (why.form && why.form.head === state.head && why.form.net === state.net ? why.form : null);

// The form hangs on network and head; the server has it.
function ask() {
  const words = `${state.net}|${state.head}`;
  if (form() || asked === words) return;
  asked = words;
  const value = { net: state.net, head: state.head };
  setTimeout(() => {
    props.value = value;
    trigger("formed");
  });
}

function methods() {
  const box = find(".methods");
  box.querySelectorAll("label").forEach((label) => label.remove());
  if (!form()) return;
  const chosen = why.chosen();
  const full = chosen.length >= form().most;
  const { escape } = gnet;
  const rows = form().methods.map(({ name, label, sentence, reason, time }) => {
    const on = chosen.includes(name) && !reason;
    const off = reason || (full && !on) ? "disabled" : "";
    const note = reason ? `<small class="reason">${escape(reason)}</small>` : "";
    return (
      `<label title="${escape(sentence)}"><input type="checkbox" name="why-methods" value="${name}" ${on ? "checked" : ""} ${off}>` +
      `<span>${escape(label)}</span><small>${reason ? gnet.say("why invalid") : escape(time)}</small>${note}</label>`
    );
  });
  box.insertAdjacentHTML("beforeend", rows.join(""));
}

function options() {
  const box = find(".options");
  const rows = form() ? why.valid().map(why.row) : [];
  const names = new Set(rows.flatMap((one) => one.options));
  const given = why.options();
  const select = (name, label, list, value) =>
    `<label>${label} <select name="${name}">${list.map(([id, words]) => `<option value="${id}" ${id === value ? "selected" : ""}>${gnet.escape(words)}</option>`).join("")}</select></label>`;
  const parts = [];
  if (rows.some((one) => one.place)) {
    parts.push(select("stage", gnet.say("why module"), [...new Set([...form().stages, state.stage])].map((stage) => [stage, stage]), state.stage));
    const roads = state.network.branches.map(({ name, label }) => [name, label]);
    parts.push(select("branch", gnet.say("why branch"), [["", gnet.say("why all branches")], ...roads], state.road ?? ""));
  }
  for (const one of form()?.options ?? []) {
    if (!names.has(one.name)) continue;
    const value = given[one.name] ?? String(one.default);
    const help = gnet.escape(one.help);
    if (one.choices.length) parts.push(select(one.name, help, one.choices.map((id) => [id, form().baselines[id] ?? id]), value));
    else {
      const step = one.whole ? 1 : "any";
      parts.push(`<label>${help} <input type="number" name="${one.name}" min="${one.min}" max="${one.max}" step="${step}" value="${gnet.escape(value)}"></label>`);
    }
  }
  box.innerHTML = parts.join("");
}

function words() {
  const { network, whole, head, classes, unknown } = state;
  const target = gnet.target();
  field.placeholder = gnet.say("why class");
  if (target === null) {
    find("h2").textContent = gnet.fill(network.why.untrained, { head });
  } else {
    const names = { class: network.classes[target], head, chance: gnet.percent(whole.heads[head].probabilities[target]) };
    for (const key of ["class", "chance"]) names[key] = `<b>${gnet.escape(names[key])}</b>`;
    find("h2").innerHTML = gnet.fill(network.why.question, names);
    if (document.activeElement !== field) [field.value, field.ariaInvalid] = [network.classes[target], "false"];
  }
  find(".shallow").textContent = [unknown && gnet.say("unknown class", { given: unknown }), form()?.shallow].filter(Boolean).join(" ");
  find(".two span").textContent = gnet.say("why two");
  find(".two input").checked = Boolean(classes);
  find(".compute").disabled = busy || !why.possible() || why.answered === why.words();
  find(".cancel").hidden = !busy;
  // A map that is there costs nothing any more.
  if (why.possible() && why.answered === why.words() && field.ariaInvalid !== "true") {
    find(".time").textContent = "";
    for (const time of element.querySelectorAll(".methods label:has(:checked) small")) time.textContent = "";
  }
  if (form()) gnet.learning.put(find(".learn"), form().learn);
}

// What the question takes, or why it cannot be asked; a quick one is asked at once.
async function price() {
  const own = ++turn;
  if (!why.possible()) return void (find(".time").textContent = "");
  const answer = await server.price({ question: why.question() });
  if (own !== turn) return;
  find(".time").textContent = answer.error ?? (why.answered === why.words() ? "" : answer.words);
  find(".compute").disabled = busy || Boolean(answer.error) || why.answered === why.words();
  if (answer.error || !answer.quick || busy || why.answered === why.words()) return;
  if (first || why.shown) why.tell("gnet-explain");
  first = false;
}

function progress(done) {
  bar.hidden = done === null;
  bar.ariaValueNow = String(Math.round(100 * (done ?? 0)));
  bar.firstElementChild.style.width = `${100 * (done ?? 0)}%`;
}

function draw() {
  const { network, answer, head } = state;
  find("img").src = answer.picture.square;
  own.hidden = Boolean(answer.example);
  own.text = answer.name;
  pictures.value = answer.example ?? "";
  heads.replaceChildren(...network.heads.filter(({ name }) => gnet.believed(name)).map(({ name }) => new Option(name)));
  heads.value = head;
  find("datalist").replaceChildren(...network.classes.map((name) => new Option(name)));
  ask();
  methods();
  options();
  words();
  price();
}

find(".methods").addEventListener("change", () => {
  const chosen = [...element.querySelectorAll(".methods :checked")].map(({ value }) => value);
  const focus = document.activeElement.value;
  if (chosen.length) gnet.choose({ method: chosen.join(",") });
  methods();
  element.querySelector(`.methods [value="${focus}"]`)?.focus();
});
find(".options").addEventListener("change", ({ target: { name, value } }) => {
  if (name === "stage") return gnet.choose({ stage: value, branch: null });
  if (name === "branch") return gnet.choose({ road: value || null });
  const given = { ...why.options(), [name]: value };
  const { default: usual } = form().options.find((one) => one.name === name);
  if (value === "" || value === String(usual)) delete given[name];
  gnet.choose({ options: new URLSearchParams(given).toString() || null });
});
field.addEventListener("focus", () => field.select());
field.addEventListener("change", () => {
  const { classes, no_class } = state.network;
  const words = field.value.trim().toLowerCase();
  const at = classes.findIndex((name) => name.toLowerCase() === words);
  const found = at < 0 && words ? classes.findIndex((name) => name.toLowerCase().includes(words)) : at;
  field.ariaInvalid = String(found < 0);
  if (found < 0) return void (find(".time").textContent = gnet.fill(no_class, { given: field.value.trim() }));
  gnet.choose({ target: found });
  field.value = classes[found];
});
heads.addEventListener("change", () => gnet.choose({ head: heads.value, target: gnet.target() }));
pictures.addEventListener("change", () => {
  const { net } = state;
  if (pictures.value) document.dispatchEvent(new CustomEvent("gnet-return", { detail: { example: pictures.value, ...(net && { net }) } }));
});
find(".two input").addEventListener("change", ({ target: { checked } }) => gnet.choose({ classes: checked ? "two" : null }));
find(".compute").addEventListener("click", () => why.tell("gnet-explain"));
find(".cancel").addEventListener("click", () => why.tell("gnet-explain-cancel"));
document.addEventListener("gnet-explaining", ({ detail: { done } }) => {
  busy = done !== null;
  progress(done);
  words();
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what === "list_methods" && !answered) asked = "";
});
watch("value", () => {
  if (typeof props.value !== "string") return; // the question itself
  why.form = JSON.parse(props.value);
  draw();
  why.tell("gnet-form");
});
gnet.draw((changed) => {
  const mine = ["answer", "network", "head", "target", "unknown", "stage", "method", "options", "classes", "road", "tab"];
  if (mine.some((one) => changed.has(one))) draw();
}, ["why"]);
