// The question why, in words, its method, and when it is asked: a quick method at once, a slow one
// on a click, its time told before.
const find = (selector) => element.querySelector(selector);
let shown = false; // whether Why is in view
let later = null;
let asked = null; // the question that is on its way
let refused = null; // the picture for which the last question was refused
let touched = gnet.address.has("class") || gnet.address.has("method"); // whether anything was chosen

const method = () => gnet.state.network.methods.find(({ name }) => name === gnet.method());

// What an answer to the question as it stands would be of.
function question() {
  const { answer, head } = gnet.state;
  const { name, needs_stage } = method();
  return [answer.key, answer.net ?? "", name, head, gnet.target(), needs_stage ? gnet.looked() : null].join("|");
}
const possible = () =>
  gnet.target() !== null && (!method().needs_stage || gnet.reaches(gnet.looked()));
const answered = () => gnet.found?.question === question();

function ask() {
  clearTimeout(later);
  if (!possible() || answered() || asked === question()) return;
  asked = question();
  progress(0);
  trigger("asked");
}

// Soon, if it is quick and Why is in view: who walks through the modules asks once.
function soon() {
  clearTimeout(later);
  const { answer, waiting } = gnet.state;
  if (touched && shown && !method().slow && !waiting.answer && refused !== answer.key) later = setTimeout(ask, 250);
}

function progress(done) {
  const bar = find(".progress");
  bar.hidden = done === null || !method().slow;
  bar.ariaValueNow = String(Math.round(100 * (done ?? 0)));
  bar.firstElementChild.style.width = `${100 * (done ?? 0)}%`;
}

function words() {
  const { network, whole, head, place, unknown } = gnet.state;
  const { why, classes } = network;
  const stage = gnet.looked();
  const target = gnet.target();
  if (target === null) {
    find(".ask").textContent = gnet.fill(why.untrained, { head });
    find(".about").textContent = "";
    return;
  }
  const names = { class: classes[target], head, stage, method: method().label, time: method().time };
  names.chance = gnet.percent(whole.heads[head].probabilities[target]);
  names.stages = network.heads.find(({ name }) => name === head).stages.join(", ");
  const bold = { ...names };
  for (const key of ["class", "chance"]) bold[key] = `<b>${gnet.escape(names[key])}</b>`;
  find(".ask").innerHTML = gnet.fill(why.question, bold);
  const about = !method().needs_stage ? why.choose : !gnet.reaches(stage) ? why.behind : place ? why.module : why.last;
  const missing = unknown ? `${gnet.say("unknown class", { given: unknown })} ` : "";
  find(".about").innerHTML = gnet.escape(missing) + gnet.marked(gnet.fill(about, names));
  const slow = method().slow && !answered();
  find(".compute").hidden = !slow || asked === question();
  find(".time").textContent = slow ? gnet.fill(names.time ? why.slow : why.unmeasured, names) : "";
}

function draw(changed) {
  const { methods } = gnet.state.network;
  if (changed.has("network") || !find(".methods label")) {
    find(".methods").querySelectorAll("label").forEach((label) => label.remove());
    find(".methods").insertAdjacentHTML(
      "beforeend",
      methods
        .map(({ name, label }) => `<label><input type="radio" name="why-method" value="${name}">${label}</label>`)
        .join(""),
    );
  }
  find(`[value="${gnet.method()}"]`).checked = true;
  places();
  words();
}

// Grad-CAM is of one module: the last before the head, or the one chosen above.
function places() {
  const { head, stage, place } = gnet.state;
  find(".place").hidden = !method().needs_stage;
  find(".place").ariaLabel = gnet.say("why module");
  const words = { "": gnet.say("why last", { stage: gnet.last(head) }), chosen: gnet.say("why chosen", { stage }) };
  for (const button of find(".place").children) {
    button.textContent = words[button.dataset.place];
    button.ariaPressed = String(button.dataset.place === (place ?? ""));
  }
}
find(".place").addEventListener("click", (event) => {
  const { place } = event.target.closest("button")?.dataset ?? {};
  if (place === undefined) return;
  touched = true;
  gnet.choose({ place: place || null });
  ask();
});

find(".methods").addEventListener("change", (event) => {
  touched = true;
  gnet.choose({ method: event.target.value });
  if (!method().slow) ask();
});
find(".compute").addEventListener("click", () => {
  ask();
  words();
});
find(".more").addEventListener("click", () => {
  if (method().needs_stage) gnet.change({ stage: gnet.looked() }); // the map that is seen here comes along
  gnet.show("why");
});
document.addEventListener("gnet-ask", () => {
  touched = true;
  const card = element.closest("#why");
  const { top, bottom } = card.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) gnet.lead(card, bottom - top > innerHeight ? "start" : "nearest");
  if (!method().slow) ask();
});
document.addEventListener("gnet-found", ({ detail: { done } }) => {
  if (done !== undefined) return progress(done);
  words();
});
document.addEventListener("gnet-settled", ({ detail: { what, answered: was } }) => {
  if (what !== "why") return;
  refused = was ? null : gnet.state.answer.key;
  asked = null;
  progress(null);
  words();
  soon();
});
const watching = new IntersectionObserver(
  (entries) => {
    shown = entries.at(-1).isIntersecting;
    if (shown && gnet.state.answer) soon();
  },
  { rootMargin: "0px 0px -60px" },
);
watching.observe(element);

let first = true;
gnet.draw((changed) => {
  if (!first && ["answer", "target", "head", "stage", "method", "place"].some((one) => changed.has(one))) touched = true;
  first = false;
  draw(changed);
  soon();
});
