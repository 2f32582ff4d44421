// The run that is followed: its progress, its speed, and controls for the browser that started it.
const find = (selector) => element.querySelector(selector);
const { state, owner, shown } = gnet.train;
const { number, escape } = gnet;
const [form, naming] = [find(".change"), find(".naming")];
let changing = null; // what is changed, and of which run
let changingRun = null;
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
  const rate = last && last.learning_rate !== track.top ? `, peak <b>${number(track.top)}</b>` : "";
  return [
    frame && [`epoch <b>${Math.min(track.epochs, last?.epoch ?? 1)} of ${track.epochs}</b>`, ""],
    frame && [`step <b>${step} of ${steps}</b>`, ""],
    last && [`<b>${number(Math.round(middling(track.speed)))}</b> pictures a second`, ""],
    moving && left !== null && [`<b>${clock(left)}</b> left`, ""],
    !moving && run.seconds > 0 && [`<b>${clock(run.seconds)}</b> in training`, ""],
    frame && [`learning rate <b>${number(last?.learning_rate ?? track.top)}</b>${rate}`, change("learning_rate")],
    frame && run.config.model.aux && [`aux weight <b>${weight}</b>`, change("aux_weights")],
    state.zoom && [`epochs <b>${state.zoom.map((x) => x.toFixed(2)).join(" to ")}</b> on the plots`, whole],
  ].filter(Boolean);
}
const middling = (list) => list.slice(-15).sort((a, b) => a - b)[Math.floor(Math.min(15, list.length) / 2)] ?? 0;

function put(part, html) {
  if (part.dataset.html === html) return;
  part.dataset.html = html;
  part.innerHTML = html;
}

// How far the run is; before its first step, how far its start is, in a paler bar.
function progress(track) {
  const { run, frame, last } = track;
  const begins = !last && gnet.train.EVER.includes(run.state);
  const done = begins ? 100 * (run.begun ?? 0) : frame && last ? (100 * last.step) / frame.steps : 0;
  const bar = find(".progress");
  bar.classList.toggle("begins", begins);
  bar.ariaLabel = begins ? "Start of the run" : "Progress of the run";
  bar.ariaValueNow = String(Math.round(done));
  bar.firstElementChild.style.width = `${done}%`;
}

// The title: the run's name, which its owner can change, and a link to it.
function title(text, run = null) {
  find(".name").textContent = text;
  find(".name").title = text;
  find(".rename").hidden = !run?.mine || !find(".naming").hidden;
  find(".copy").hidden = !run;
}

const LOST = "<span>The server is not reachable; these are the last known values.</span>";

gnet.train.draw((changed) => {
  if (!changed("track", "events", "run", "ready", "trouble", "zoom", "away")) return;
  if (changingRun !== state.run) for (const part of [form, naming]) shut(part);
  const track = shown();
  if (!track?.run) {
    title(state.trouble ? "No such run" : "No run yet");
    put(find(".said"), "");
    put(find(".facts"), escape(state.trouble || (state.ready && !state.run
      ? "Choose a lesson and press Start: the first run is a short one, and everything below fills while it learns." : "")));
    find(".controls").innerHTML = find(".controls").dataset.key = "";
    find(".progress i").style.width = "0";
    find(".progress").ariaValueNow = "0";
    return;
  }
  const { run } = track;
  const word = WORDS[run.state] ?? run.state;
  title(run.name + (word ? `, ${word}` : ""), run);
  progress(track);
  controls(run);
  if (state.away) return put(find(".facts"), LOST);
  const list = facts(track);
  put(find(".said"), escape(run.said ?? ""));
  // The buttons stay while the numbers beside them change: somebody may be pressing one.
  put(find(".facts"), list.map(([, button]) => `<span><span></span>${button}</span>`).join(""));
  list.forEach(([text], i) => put(find(".facts").children[i].firstElementChild, text));
  if (!gnet.train.EVER.includes(run.state)) shut(form);
});

// Controls go to the server with the owner's token; the answer is the run's own events.
const steer = (action, values = {}) => trigger("steer", { run: state.run, owner, action, ...values });
find(".controls").addEventListener("click", (event) => {
  const { action } = event.target.closest("button")?.dataset ?? {};
  if (action) steer(action);
});

// Two small forms: a setting of the run under way, and its name. A refusal stands below them.
find(".facts").addEventListener("click", (event) => {
  if (event.target.closest("[data-zoom]")) gnet.train.choose({ zoom: null });
  changing = event.target.closest("button")?.dataset.change;
  if (!changing) return;
  const track = shown();
  const rate = changing === "learning_rate";
  form.querySelector("span").textContent = rate ? "New peak learning rate" : "New weight of both auxiliary losses";
  form.querySelector("small").textContent = rate ? "The schedule goes on from there." : "Recorded, and marked on the plots.";
  open(form, rate ? track.top : track.weights.aux1);
});
find(".rename").addEventListener("click", () => {
  naming.hidden = find(".rename").hidden = false;
  open(naming, shown().run.name);
  find(".rename").hidden = true;
});
function open(part, value) {
  changingRun = state.run;
  part.classList.add("on");
  find(".trouble").textContent = "";
  part.querySelector("input").value = value;
  part.querySelector("input").select();
}
function shut(part) {
  if (!part.classList.contains("on")) return;
  const focused = part.contains(document.activeElement);
  part.classList.remove("on");
  find(".trouble").textContent = "";
  naming.hidden = !naming.classList.contains("on");
  find(".rename").hidden = !shown()?.run?.mine || !naming.hidden;
  if (focused) (part === form ? find(`.facts [data-change="${changing}"]`) : find(".rename"))?.focus();
}
async function send(part, ask) {
  part.querySelector("input").ariaInvalid = null;
  let answer;
  try {
    answer = await ask();
  } catch {
    answer = { error: "The server is not reachable; try again." };
  }
  if (answer.error) {
    find(".trouble").textContent = answer.error;
    part.querySelector("input").ariaInvalid = "true";
    return;
  }
  shut(part);
  gnet.train.refresh();
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = form.querySelector("input").value.trim();
  const value = text && Number.isFinite(Number(text)) ? Number(text) : text;
  send(form, () => server.change({ run: changingRun, owner, action: changing, value }));
});
naming.addEventListener("submit", (event) => {
  event.preventDefault();
  send(naming, () => server.rename({ run: changingRun, owner, name: naming.querySelector("input").value }));
});
for (const part of [form, naming]) {
  part.querySelector(".cancel").addEventListener("click", () => shut(part));
  part.addEventListener("keydown", (event) => event.key === "Escape" && shut(part));
}

// The link is shown as copied for as long as the pointer or the focus stays.
const copy = find(".copy");
copy.addEventListener("click", async () => {
  const link = new URL(`?tab=train&run=${state.run}`, location.href).href;
  try {
    await navigator.clipboard.writeText(link);
    copy.textContent = "Copied";
  } catch {
    prompt("The link to this run", link);
  }
});
for (const kind of ["pointerleave", "blur"]) copy.addEventListener(kind, () => (copy.textContent = "Copy link"));

find(".another").addEventListener("click", () => document.querySelector("#train-left").scrollIntoView({ behavior: "smooth" }));

// A run was started: it is the one to be seen.
watch("value", () => {
  const started = JSON.parse(props.value || "{}");
  if (started.run) gnet.train.begun(started);
});
