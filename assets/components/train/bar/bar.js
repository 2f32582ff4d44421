// The run that is followed: its progress, its speed, and controls for the browser that started it.
const find = (selector) => element.querySelector(selector);
const { state, owner, shown } = gnet.train;
const { number, escape } = gnet;
gnet.tracks.smooth(props.smoothing);
gnet.train.connect(server);

const clock = (seconds) => {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
};
const WORDS = {
  queued: "waiting", starting: "starting", running: "", paused: "paused", stopping: "stopping",
  stopped: "stopped", interrupted: "interrupted", finished: "finished", failed: "failed",
  diverged: "diverged",
};

// Which buttons there are in which state: [action, label, can be pressed].
function buttons(name) {
  if (["stopped", "interrupted", "failed"].includes(name)) return [["resume", "Resume", true]];
  if (["finished", "diverged"].includes(name)) return [];
  const paused = name === "paused";
  return [
    paused ? ["continue", "Continue", true] : ["pause", "Pause", name === "running"],
    ["step", "Step", paused || name === "running"],
    ["stop", "Stop", name !== "stopping"],
  ];
}

function controls(run) {
  const box = find(".controls");
  const wanted = run.mine ? buttons(run.state) : [];
  const key = JSON.stringify([wanted, state.away]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  box.innerHTML = wanted
    .map(([action, label, on]) => `<button type="button" data-action="${action}" ${on && !state.away ? "" : "disabled"}>${label}</button>`)
    .join("");
  if (focused) (box.querySelector(`[data-action="${focused}"]:enabled`) ?? box.querySelector("button:enabled"))?.focus();
}

// The facts of a run, each with the button beside it: [text, button].
function facts(track) {
  const { run, last, frame } = track;
  const moving = gnet.train.EVER.includes(run.state);
  const step = last?.step ?? 0;
  const steps = frame?.steps ?? 0;
  const change = (what) =>
    run.mine && moving ? ` <button type="button" data-change="${what}">change</button>` : "";
  const whole = ` <button type="button" data-zoom>whole run</button>`;
  const { aux1, aux2 } = track.weights;
  const weight = aux1 === aux2 ? number(aux1) : `${number(aux2)} and ${number(aux1)}`;
  const { left } = run;
  return [
    frame && [`epoch <b>${Math.min(track.epochs, last?.epoch ?? 1)} of ${track.epochs}</b>`, ""],
    frame && [`step <b>${step} of ${steps}</b>`, ""],
    last && [`<b>${number(Math.round(middling(track.speed)))}</b> pictures a second`, ""],
    moving && left !== null && [`<b>${clock(left)}</b> left`, ""],
    !moving && run.seconds > 0 && [`<b>${clock(run.seconds)}</b> in training`, ""],
    frame && [`learning rate <b>${number(last?.learning_rate ?? track.top)}</b>`, change("learning_rate")],
    frame && run.config.model.aux && [`aux weight <b>${weight}</b>`, change("aux_weights")],
    state.zoom && [`epochs <b>${state.zoom.map((x) => x.toFixed(2)).join(" to ")}</b> on the plots`, whole],
  ].filter(Boolean);
}
const middling = (list) => list.slice(-15).sort((a, b) => a - b)[Math.floor(Math.min(15, list.length) / 2)] ?? 0;

function said(run) {
  const before = run.position > 1 ? `${run.position - 1} more ${run.position === 2 ? "waits" : "wait"} before it.` : "It is next.";
  const lines = [
    run.state === "queued" && `Waiting in the queue: one run trains at a time here. ${before}`,
    run.state === "starting" && (run.doing ? `${run.doing}.` : "The pictures are being read."),
    run.message && escape(run.message),
    !run.mine && gnet.train.EVER.includes(run.state) && "Only the browser that started this run can control it; you can watch.",
  ];
  return lines.filter(Boolean).join(" ");
}

// The server is out of reach: the sentence stands in the facts' place, so that nothing moves.
function lost() {
  const part = find(".facts");
  part.style.minHeight ||= `${part.offsetHeight}px`;
  put(part, "<span>The server is not reachable; these are the last known values.</span>");
}

function put(part, html) {
  if (part.dataset.html === html) return;
  part.dataset.html = html;
  part.innerHTML = html;
}

gnet.train.draw((changed) => {
  if (!changed("track", "events", "run", "ready", "trouble", "zoom", "away")) return;
  const track = shown();
  const bar = find(".progress");
  if (!track?.run) {
    find(".name").textContent = state.trouble ? "No such run" : "No run yet";
    put(find(".said"), "");
    put(find(".facts"), escape(state.trouble || (state.ready && !state.run
      ? "Choose a lesson and press Start: the first run is a short one, and everything below fills while it learns." : "")));
    find(".controls").innerHTML = find(".controls").dataset.key = "";
    bar.firstElementChild.style.width = "0";
    bar.ariaValueNow = "0";
    return;
  }
  const { run, frame, last } = track;
  const done = frame && last ? (100 * last.step) / frame.steps : 0;
  const word = WORDS[run.state] ?? run.state;
  find(".name").textContent = run.name + (word ? `, ${word}` : "");
  find(".name").title = run.name;
  bar.ariaValueNow = String(Math.round(done));
  bar.firstElementChild.style.width = `${done}%`;
  controls(run);
  const words = said(run);
  if (state.away) return lost();
  find(".facts").style.minHeight = "";
  const list = facts(track);
  // Before there are facts the words stand in their place, so that nothing moves when they come.
  put(find(".said"), list.length ? words : "");
  // The buttons stay while the numbers beside them change: somebody may be pressing one.
  put(find(".facts"), list.map(([, button]) => `<span><span></span>${button}</span>`).join("") || words);
  list.forEach(([text], i) => put(find(".facts").children[i].firstElementChild, text));
  if (!find(".change").hidden && !gnet.train.EVER.includes(run.state)) find(".change").hidden = true;
});

// Controls and changes go to the server with the owner's token; the answer is the run's own events.
const steer = (action, values = {}) => trigger("steer", { run: state.run, owner, action, ...values });
find(".controls").addEventListener("click", (event) => {
  const { action } = event.target.closest("button")?.dataset ?? {};
  if (action) steer(action);
});
const form = find(".change");
let changing = null; // what, and of which run
let changingRun = null;
find(".facts").addEventListener("click", (event) => {
  if (event.target.closest("[data-zoom]")) gnet.train.choose({ zoom: null });
  changing = event.target.closest("button")?.dataset.change;
  if (!changing) return;
  const track = shown();
  const rate = changing === "learning_rate";
  form.querySelector("span").textContent = rate ? "New peak learning rate" : "New weight of both auxiliary losses";
  form.querySelector("small").textContent = rate ? "The schedule goes on from there." : "Recorded, and marked on the plots.";
  form.querySelector("input").max = props.most[rate ? "learning_rate" : "aux1_weight"];
  form.querySelector("input").value = rate ? track.top : track.weights.aux1;
  changingRun = state.run;
  form.hidden = false;
  form.querySelector("input").select();
});
const close = () => {
  form.hidden = true;
  find(`.facts [data-change="${changing}"]`)?.focus();
};
form.addEventListener("submit", (event) => {
  event.preventDefault();
  steer(changing, { run: changingRun, value: Number(form.querySelector("input").value) });
  close();
});
form.querySelector(".cancel").addEventListener("click", close);
form.addEventListener("keydown", (event) => event.key === "Escape" && close());

find(".another").addEventListener("click", () => document.querySelector("#train-left").scrollIntoView({ behavior: "smooth" }));

// A run was started: it is the one to be seen.
watch("value", () => {
  const started = JSON.parse(props.value || "{}");
  if (started.run) gnet.train.begun(started);
});
