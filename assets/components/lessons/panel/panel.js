// The lesson's panel: beside the page, or under it on a phone. It stands in the body, so that it
// stays where it is while the page scrolls.
const { lessons, escape, state, say } = gnet;
const panel = document.createElement("aside");
Object.assign(panel, { id: "lesson", ariaLabel: say("lesson"), tabIndex: -1, hidden: true });
document.body.append(panel);
const button = (name, label, more = "") => `<button type="button" data-do="${name}" ${more}>${label}</button>`;
let shown = null; // the server's answer to the step
let asked = ""; // what it was asked
let drawn = ""; // what the panel holds
let order = []; // ids, as they stand, of a question for their order
let folded = false;
let passed = ""; // the step whose question was passed over once
let focus = false; // whether the panel was used last, and not the page

const here = () => `${lessons.state.name} ${lessons.state.step}`;
const unanswered = () => Boolean(shown?.question) && !shown.answered && !shown.blocked;

// What is asked of the server: the step, with the answer kept of it.
function ask() {
  if (!lessons.state.name || !state.answer || state.light || state.waiting.answer) return;
  const { name, step } = lessons.state;
  const answer = lessons.given();
  const question = { lesson: name, step, picture: state.answer.given, key: state.whole.key, owner: gnet.train?.owner ?? "" };
  const words = JSON.stringify([question, answer, runs()]);
  if (words === asked) return;
  asked = words;
  setTimeout(() => {
    props.value = JSON.parse(JSON.stringify({ ...question, ...(answer !== undefined && { answer }) }));
    trigger("taken");
  });
}
// A run that begins or ends changes the answer.
const runs = () => (gnet.train?.state.rows ?? []).filter(({ mine }) => mine).map(({ id, state }) => [id, state]);

function draw() {
  const { open, name } = lessons.state;
  panel.hidden = !open;
  if (!open) return mark();
  panel.classList.toggle("folded", folded);
  const stale = shown && (shown.lesson !== name || shown.step !== lessons.state.step);
  if (stale) [shown, asked] = [null, ""];
  const html = name ? step() : list();
  if (html === drawn) return mark();
  const held = panel.contains(document.activeElement) ? (document.activeElement.dataset.do ?? "") : null;
  panel.innerHTML = drawn = html;
  if (held !== null || focus) (panel.querySelector(`[data-do="${held}"]:not([disabled])`) ?? panel).focus({ preventScroll: true });
  focus = false;
  mark();
}

function head(title, place) {
  const fold = folded ? "lesson unfold" : "lesson fold";
  return `<header><h2>${escape(title)}</h2><span class="place">${place}</span>` +
    button("fold", say(fold), `class="fold" aria-expanded="${!folded}"`) +
    button("close", "×", `class="close" aria-label="${say("lesson close")}"`) + "</header>";
}

function list() {
  const rows = lessons.all.map(({ name, title, intro, minutes, steps, trains }) => {
    const done = lessons.answered(name);
    const about = [say("lesson minutes", { steps: steps.length, minutes }), done && say("lesson done", { done, steps: steps.length })];
    const missing = trains && !gnet.tabs.train ? `<small>${say("lesson needs training")}</small>` : "";
    return `<li><button type="button" data-do="open" data-lesson="${escape(name)}"><b>${escape(title)}</b><span>${escape(intro)}</span>` +
      `<small>${about.filter(Boolean).join(" · ")}</small>${missing}</button></li>`;
  });
  return `${head(say("lessons"), "")}<div class="body"><p class="lead">${say("lessons lead")}</p><ul class="lessons">${rows.join("")}</ul></div>`;
}

// What a step's circle holds, by how it was answered, and the words beside it.
const SIGNS = {
  right: ["✓", "lesson step right"],
  wrong: ["✗", "lesson step wrong"],
  kept: ["•", "lesson step answered"],
};

function step() {
  const lesson = lessons.lesson();
  const { step: at } = lessons.state;
  const { steps } = lesson;
  const done = lessons.of(lesson.name).given;
  const dots = steps.map(({ heading }, i) => {
    const [sign, known] = SIGNS[lessons.judged(done[i + 1])] ?? [i + 1, "lesson step"];
    const words = say(known, { step: i + 1, heading });
    return `<li>${button("step", sign, `data-step="${i + 1}" aria-label="${escape(words)}" title="${escape(words)}"${i + 1 === at ? ' aria-current="step"' : ""}`)}</li>`;
  });
  const last = at === steps.length;
  const others = button("list", say("lessons"), `class="${last ? "main" : "quiet"}"`);
  const next = last ? "" : button("next", say(unanswered() && passed === here() ? "lesson skip" : "lesson next"), 'class="main"');
  return (
    `${head(lesson.title, say("lesson of", { step: at, of: steps.length }))}<div class="body"><ol class="dots">${dots.join("")}</ol>` +
    `<h3>${escape(steps[at - 1].heading)}</h3>${told()}</div>` +
    `<footer>${button("back", say("lesson back"), at === 1 ? "disabled" : "")}${last ? "" : others}` +
    `${button("sheet", say("worksheet"), 'class="quiet"')}${last ? others : next}</footer>`
  );
}

const paragraphs = (texts) => texts.map((text) => `<p>${gnet.marked(text)}</p>`).join("");
function told() {
  const { go } = lessons.lesson().steps[lessons.state.step - 1];
  const place = go ? button("place", say("lesson place"), 'class="link"') : "";
  if (!shown) return `<p class="waits">${say("lesson reading")}</p>`;
  const blocked = shown.blocked ? `<p class="blocked">${escape(shown.blocked)}</p>${button("again", say("lesson look again"))}` : "";
  return `${paragraphs(shown.text)}${place}${shown.question ? question() : ""}<div class="verdict" role="status">${verdict()}</div>${blocked}`;
}

function question() {
  const { ask: text, kind, choices, unit } = shown.question;
  const closed = Boolean(shown.answered);
  return `<section class="question" aria-label="${escape(text)}"><p class="ask">${escape(text)}</p>${{ choice, number, order: sorting }[kind](choices, closed, unit)}</section>`;
}
const hue = (id) => (state.network.branches.some(({ name }) => name === id) ? ` class="b${id} hue"` : "");
const choice = (choices, closed) =>
  `<div class="choices">${choices.map(({ id, name }) => button("choose", escape(name), `data-id="${escape(id)}"${hue(id)} aria-pressed="${shown.answered?.given === id}"${closed ? " disabled" : ""}`)).join("")}</div>`;
const number = (_, closed, unit) =>
  `<form class="number"><label><span class="unseen">${say("lesson number")}</span><input name="number" inputmode="text" autocomplete="off" maxlength="20" value="${escape(shown.answered?.given ?? "")}"${closed ? " disabled" : ""}></label>` +
  `<span>${escape(unit)}</span>${closed ? "" : `<button class="check">${say("lesson check")}</button>`}</form>`;
function sorting(choices, closed) {
  const names = Object.fromEntries(choices.map(({ id, name }) => [id, name]));
  const ids = shown.answered?.given ?? order;
  const rows = ids.map((id, i) => {
    const name = names[id];
    const move = (way, sign, words, off) => button(way, sign, `data-id="${escape(id)}" aria-label="${escape(words)}"${off ? " disabled" : ""}`);
    const moves = move("up", "↑", say("lesson up", { name }), i === 0) + move("down", "↓", say("lesson down", { name }), i === ids.length - 1);
    return `<li${hue(id)}><span>${escape(name)}</span>${closed ? "" : moves}</li>`;
  });
  return `<ol class="order">${rows.join("")}</ol>${closed ? "" : button("check", say("lesson check"), 'class="check"')}`;
}
function verdict() {
  const { answered, question: asks } = shown;
  if (!answered) return passed === here() ? `<p>${say("lesson unanswered")}</p>` : "";
  const again = button("retry", say("lesson again"));
  if (!answered.sentence) {
    const name = asks.choices.find(({ id }) => id === answered.given)?.name ?? `${answered.given} ${asks.unit}`;
    return `<p>${escape(say("lesson kept", { given: name }))}</p>${again}`;
  }
  return `<p class="${answered.right ? "right" : "wrong"}">${escape(answered.sentence)}</p>${paragraphs(answered.after)}${again}`;
}

// What the step speaks of is marked, and stands in sight once.
let marked = "";
const drawing = (name) => document.getElementById(name.replace(/^(explore|shared)\//, "").replace("/", "-"));
function mark() {
  const { open, name, step: at } = lessons.state;
  const look = open && name ? lessons.lesson().steps[at - 1].look : "";
  const place = look ? drawing(look) : null;
  for (const part of document.querySelectorAll(".lesson-look")) part.classList.toggle("lesson-look", part === place);
  place?.classList.add("lesson-look");
  for (const part of lessons.lesson()?.steps.flatMap(({ hide }) => hide) ?? []) {
    drawing(part)?.setAttribute("data-hidden", say("lesson hidden"));
  }
  const now = `${name} ${at} ${state.tab}`;
  if (!place || marked === now || !document.documentElement.classList.contains("gnet-ready")) return;
  marked = now;
  setTimeout(() => place.scrollIntoView({ block: "nearest" })); // once the tab has its size
}

function refuse(given) {
  const verdict = panel.querySelector(".verdict");
  verdict.textContent = say("lesson no number", { given: given || say("lesson nothing") });
  verdict.scrollIntoView({ block: "nearest" });
}
function give(value) {
  lessons.answer(value, shown.question.about);
}
const move = (id, by) => {
  const at = order.indexOf(id);
  const to = at + by;
  if (to < 0 || to >= order.length) return;
  [order[at], order[to]] = [order[to], order[at]];
  draw();
  const [name, way] = [shown.question.choices.find((one) => one.id === id).name, by < 0 ? "up" : "down"];
  panel.querySelector(".verdict").textContent = say("lesson moved", { name, place: to + 1 });
  const own = `[data-id="${CSS.escape(id)}"]:not([disabled])`;
  (panel.querySelector(`[data-do="${way}"]${own}`) ?? panel.querySelector(`.order ${own}`))?.focus({ preventScroll: true });
};

// To the next step; a question that is not answered is asked for once.
function next() {
  if (!unanswered() || passed === here()) return lessons.to(lessons.state.name, lessons.state.step + 1);
  passed = here();
  draw();
  panel.querySelector(".verdict").scrollIntoView({ block: "nearest" });
}

const DO = {
  close: () => lessons.close(),
  list: () => lessons.to(null, 1),
  fold: () => ((folded = !folded), draw()),
  open: ({ lesson }) => lessons.to(lesson, lessons.of(lesson).at),
  step: ({ step: at }) => lessons.to(lessons.state.name, Number(at)),
  back: () => lessons.to(lessons.state.name, lessons.state.step - 1),
  next,
  place: () => ((marked = ""), lessons.place(), mark()),
  sheet: () => document.dispatchEvent(new Event("gnet-worksheet")),
  choose: ({ id }) => give(id),
  check: () => give([...order]),
  retry: () => lessons.answer(undefined),
  again: () => ((asked = ""), ask()),
  up: ({ id }) => move(id, -1),
  down: ({ id }) => move(id, 1),
};
panel.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-do]");
  if (pressed) DO[pressed.dataset.do](pressed.dataset);
});
panel.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = event.target.elements.number.value.trim();
  // As the server reads it, which has the last word.
  if (Number.isFinite(Number(given.replace(",", ".").replace("−", "-").replace(/[% ]+$/, "") || NaN))) give(given);
  else refuse(given);
});
panel.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input");
  if (event.key === "Escape") return lessons.close();
  if (typing || !lessons.state.name || event.altKey || event.ctrlKey || event.metaKey) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const to = lessons.state.step + (by ?? NaN);
  if (!(to >= 1 && to <= lessons.lesson().steps.length)) return;
  event.preventDefault();
  focus = true;
  if (by > 0) next();
  else lessons.to(lessons.state.name, to);
});

watch("value", () => {
  if (typeof props.value !== "string") return;
  const answer = JSON.parse(props.value);
  if (answer.lesson !== lessons.state.name || answer.step !== lessons.state.step || answer.key !== state.whole.key) return;
  if (shown?.step !== answer.step || shown?.lesson !== answer.lesson) order = (answer.question?.choices ?? []).map(({ id }) => id);
  shown = answer;
  if (answer.answered) lessons.judge(answer.answered.right);
  draw();
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what !== "take_step" || answered) return;
  if (lessons.given() !== undefined) lessons.answer(undefined); // it was no answer to this question
});
function changed() {
  draw();
  ask();
}
document.addEventListener("gnet-lesson", changed);
document.addEventListener("gnet-train", () => shown?.blocked && ask());
document.addEventListener("gnet-lessons-open", () => {
  focus = true;
  const { open, name, step: at } = lessons.state;
  if (open) lessons.close();
  else lessons.to(name, at);
});
let begun = false;
gnet.draw((names) => {
  if (!begun) lessons.state.name && lessons.experiment(lessons.lesson().steps[lessons.state.step - 1].go);
  begun = true;
  if (["answer", "tab", "waiting", "light"].some((one) => names.has(one))) changed();
}, Object.keys(gnet.tabs));
