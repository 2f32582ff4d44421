// The question why, in words, and when it is asked. A class that is chosen asks all methods: the
// quick ones at once, one after the other; then, once the choice has stayed for a moment, the slow one
// by itself, behind everybody's requests. It ends when something else is chosen.
const find = (selector) => element.querySelector(selector);
const [SOON, STAYED, AGAIN] = [250, 700, 1000]; // ms before a quick one, before the slow one, between two questions for its turn
let shown = false; // whether Why is in view
let later = null;
let waiting = null; // the timer before the slow one
let asked = null; // the quick question that is on its way
let job = null; // the slow one: {question, stage, ticket, done: null before it has begun}
let stopped = null; // the slow question that the viewer has ended
const refused = new Set(); // questions that could not be answered
let touched = gnet.address.has("class") || gnet.address.has("method"); // whether anything was chosen

const methods = () => gnet.state.network.methods;
const chosen = () => methods().find(({ name }) => name === gnet.method());
const slow = () => methods().find((one) => one.slow);

const { question, answered } = gnet.reasons;
const possible = ({ needs_stage }) => gnet.target() !== null && (!needs_stage || gnet.reaches(gnet.looked()));
const open = (method) => possible(method) && !answered(method) && !refused.has(question(method));

const sent = ({ name, needs_stage }) => ({
  method: name,
  head: gnet.state.head,
  class_index: gnet.target(),
  stage: needs_stage ? gnet.looked() : null,
});

// The quick methods that have no answer yet, the chosen one first.
function ask() {
  clearTimeout(later);
  if (asked || gnet.state.waiting.answer) return;
  const [next] = methods().filter((one) => !one.slow && open(one)).sort((a, b) => (b === chosen()) - (a === chosen()));
  if (!next) return compute();
  asked = question(next);
  gnet.wait("why", true);
  trigger("asked", sent(next));
}

// Soon, if Why is in view: who walks through the modules asks once.
function soon() {
  clearTimeout(later);
  if (shown && !gnet.state.light) later = setTimeout(() => (ready() ? seen() && ask() : soon()), SOON);
}
const ready = () => document.documentElement.classList.contains("gnet-ready"); // the page has its height
const seen = () => element.getBoundingClientRect().top < innerHeight - 60;

// Whether the slow one begins by itself: a class was chosen, or it is the method that is read.
const wanted = () => touched && (gnet.state.target !== null || chosen().slow);

function compute() {
  clearTimeout(waiting);
  const method = slow();
  if (!method || job || !shown || !wanted() || !open(method) || stopped === question(method)) return tell();
  waiting = setTimeout(() => {
    if (job || !wanted() || !open(method) || gnet.state.light) return;
    const ticket = Array.from({ length: 4 }, () => Math.random().toString(36).slice(2, 10)).join("");
    job = { question: question(method), stage: gnet.state.stage, ticket, done: null, before: 0, sent: false };
    line(job, method);
  }, STAYED);
  tell();
}

// It begins when its turn comes; until then the server is asked for it now and then.
async function line(own, method) {
  const { before } = await server.wait({ ticket: own.ticket });
  if (job !== own) return;
  own.before = before ?? 0;
  if (before === 0) {
    own.sent = true;
    trigger("computed", { ...sent(method), ticket: own.ticket });
  } else setTimeout(() => job === own && line(own, method), AGAIN);
  tell();
}

// Another class, picture, head or module is chosen, or Stop is pressed.
function end() {
  clearTimeout(waiting);
  if (!job || job.ended) return;
  // What was sent can be ended once it has shown a sign of life; Gradio loses an answer that comes at once.
  if (!job.sent || job.done !== null) server.stop({ ticket: job.ticket });
  if (job.sent) job.ended = true; // until the server has said so
  else job = null;
}

// What stands in the place of the slow map until it is there.
function tell() {
  const method = slow();
  if (!method) return;
  const here = open(method) && gnet.state.whole;
  const going = job && !job.ended;
  const kind = !here ? "" : going ? "going" : stopped === question(method) ? "stopped" : wanted() ? "soon" : "idle";
  document.dispatchEvent(new CustomEvent("gnet-computing", { detail: { kind, done: job?.done ?? 0, before: job?.before ?? 0 } }));
}

function words() {
  const { network, answer, whole, head, place, unknown } = gnet.state;
  const { why, classes } = network;
  const stage = gnet.looked();
  const target = gnet.target();
  if (target === null) {
    find(".ask").textContent = gnet.fill(why.untrained, { head });
    find(".about").textContent = "";
    return;
  }
  const names = { class: classes[target], head, stage };
  names.chance = gnet.percent(whole.heads[head].probabilities[target]);
  names.stages = network.heads.find(({ name }) => name === head).stages.join(", ");
  const bold = { ...names };
  for (const key of ["class", "chance"]) bold[key] = `<b>${gnet.escape(names[key])}</b>`;
  find(".ask").innerHTML = gnet.fill(answer.switched ? why.switched : why.question, bold);
  const about = !gnet.reaches(stage) ? why.behind : place ? why.module : why.last;
  const missing = unknown ? `${gnet.say("unknown class", { given: unknown })} ` : "";
  find(".about").innerHTML = gnet.escape(missing) + gnet.marked(gnet.fill(about, names));
}

// Grad-CAM is of one module: the last before the head, or the one chosen above.
function places() {
  const { head, stage, place } = gnet.state;
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

find(".more").addEventListener("click", () => {
  if (chosen().needs_stage) gnet.change({ stage: gnet.looked() }); // the map that is seen here comes along
  gnet.show("why");
});
document.addEventListener("gnet-compute", ({ detail: { on } }) => {
  if (on) {
    [stopped, touched] = [null, true];
    refused.clear();
    compute();
  } else {
    stopped = question(slow());
    end();
    tell();
  }
});
document.addEventListener("gnet-ask", () => {
  touched = true;
  stopped = null;
  refused.clear();
  const card = element.closest("#why");
  const { top, bottom } = card.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) gnet.lead(card, bottom - top > innerHeight ? "start" : "nearest");
  ask();
});
watch("value", () => {
  if (!job) return;
  const given = JSON.parse(props.value);
  if (job.ended && job.done === null) server.stop({ ticket: job.ticket });
  if (given.done !== undefined) job.done = given.done;
  if (job.ended) return;
  if (given.done === undefined && !given.cancelled) gnet.reasons.take(given);
  tell();
});
document.addEventListener("gnet-settled", ({ detail: { what, answered: was } }) => {
  if (what === "computed") {
    if (!was && job && !job.ended) refused.add(job.question);
    job = null;
  } else if (what === "why") {
    if (!was && asked) refused.add(asked);
    asked = null;
  } else return;
  tell();
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
  const names = ["answer", "target", "head", "stage", "method", "place"].filter((one) => changed.has(one));
  if (!first && names.length) touched = true;
  const chose = !first && names.includes("method");
  first = false;
  if (job && (job.stage !== gnet.state.stage || job.question !== question(slow() ?? {}))) end();
  if (names.includes("answer")) refused.clear();
  places();
  words();
  if (chose) ask();
  else soon();
  tell();
});
