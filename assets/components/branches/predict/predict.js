// Three rounds: a question, a guess, and then what was measured. The score stays in the page; the
// answer comes only after the guess.
const find = (selector) => element.querySelector(selector);
const [choices, falls, next, told] = [".choices", ".falls", ".next", ".told"].map(find);
const ROUNDS = ["branch", "module", "picture"];
const { state } = gnet;
const score = { right: 0, of: 0 };
const first = find(".question").textContent;
let game = null; // { key, given, stage, round, shown }
let waits = false;

function ask(guess) {
  if (waits) return;
  waits = true;
  const { key, given, stage, round } = game;
  props.value = { picture: given, key, stage, round: ROUNDS[round], ...(guess && { guess }) };
  trigger("played");
  show();
}

function start() {
  const given = JSON.parse(JSON.stringify(state.answer.given));
  game = { key: state.whole.key, given, stage: state.stage, round: 0, shown: null };
  ask();
}

function show() {
  const shown = game?.shown;
  const revealed = Boolean(shown?.falls);
  find(".question").textContent = shown ? gnet.say("round", shown) : first;
  find(".score").textContent = score.of ? gnet.say("score", score) : "";
  choices.innerHTML = (shown?.choices ?? [])
    .map(({ id, name }) => `<button type="button" data-guess="${id}" aria-pressed="${shown.guess === id}"${revealed ? " disabled" : ""}>${gnet.escape(name)}</button>`)
    .join("");
  told.textContent = revealed ? shown.sentence : "";
  told.className = `told ${revealed ? (shown.right ? "right" : "wrong") : ""}`;
  falls.innerHTML = revealed ? bars(shown) : "";
  next.hidden = Boolean(shown) && !revealed;
  next.disabled = waits;
  const last = game?.round === ROUNDS.length - 1;
  next.textContent = gnet.say(!revealed ? "game start" : last ? "game again" : "game next");
}

// All on one scale; what rises in place of falling goes to the left.
function bars({ choices: all, falls: values, limit, best, guess, round }) {
  const rises = all.some(({ id }) => values[id] < 0);
  const [zero, room] = rises ? [50, 50] : [0, 100];
  const rows = all.map(({ id, name }) => {
    const size = limit ? (room * Math.abs(values[id])) / limit : 0;
    const left = values[id] < 0 ? zero - size : zero;
    const hue = round === "branch" ? ` b${id}` : "";
    return (
      `<div class="fall${hue}${id === best ? " best" : ""}" data-fall="${id}"><span>${gnet.escape(name)}${id === guess ? " (your guess)" : ""}</span>` +
      `<span class="track" style="--zero:${zero}%"><i style="left:${left}%;width:${size}%"></i></span>` +
      `<span>${gnet.number(values[id])} points</span></div>`
    );
  });
  return `${rows.join("")}<p class="unit">${gnet.say(rises ? "falls and rises" : "falls scale", { high: gnet.number(limit) })}</p>`;
}

choices.addEventListener("click", (event) => {
  const { guess } = event.target.closest("button")?.dataset ?? {};
  if (guess) ask(guess);
});
next.addEventListener("click", () => {
  if (waits) return;
  if (!game?.shown || game.round === ROUNDS.length - 1) return start();
  game.round += 1;
  ask();
});
watch("value", () => {
  if (typeof props.value !== "string" || !game) return;
  const answer = JSON.parse(props.value);
  if (answer.round !== ROUNDS[game.round]) return;
  game.shown = answer;
  waits = false;
  if (answer.falls) {
    score.of += 1;
    score.right += answer.right ? 1 : 0;
  }
  show();
  (answer.falls ? next : choices.firstElementChild)?.focus({ preventScroll: true });
});
document.addEventListener("gnet-settled", ({ detail: { what } }) => {
  if (what !== "predict") return;
  waits = false;
  next.disabled = false;
});
gnet.draw(() => {
  if (!game || game.key === state.whole.key) return;
  game = null; // another picture, another game
  show();
}, ["branches"]);
