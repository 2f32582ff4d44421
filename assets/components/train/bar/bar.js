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

// Which buttons there are in which state: [action, label, can be pressed].
function buttons(name) {
  if (["stopped", "interrupted", "failed"].includes(name)) return [["resume", gnet.say("resume"), true]];
  if (["finished", "diverged"].includes(name)) return [];
  const paused = name === "paused";
  return [
    paused ? ["continue", gnet.say("continue"), true] : ["pause", gnet.say("pause"), name === "running"],
    ["step", gnet.say("step"), paused || name === "running"],
    ["stop", gnet.say("stop"), name !== "stopping"],
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
    run.mine && moving ? ` <button type="button" data-change="${what}">${gnet.say("change")}</button>` : "";
  const whole = ` <button type="button" data-zoom>${gnet.say("whole run")}</button>`;
  const { aux1, aux2 } = track.weights;
  const { left } = run;
  const rate = { rate: number(last?.learning_rate ?? track.top), peak: number(track.top) };
  const weights = { aux2: number(aux2), aux1: number(aux1) };
  const [from, to] = (state.zoom ?? []).map((x) => x.toFixed(2));
  return [
    frame && [gnet.say("epoch of", { epoch: Math.min(track.epochs, last?.epoch ?? 1), epochs: track.epochs }), ""],
    frame && [gnet.say("step of", { step, steps }), ""],
    last && [gnet.say("speed", { speed: number(Math.round(middling(track.speed))) }), ""],
    moving && left !== null && [gnet.say("left", { time: clock(left) }), ""],
    !moving && run.seconds > 0 && [gnet.say("trained for", { time: clock(run.seconds) }), ""],
    frame && [gnet.say(rate.rate === rate.peak ? "rate" : "rate below", rate), change("learning_rate")],
    frame && run.config.model.aux && [gnet.say(aux1 === aux2 ? "aux weight" : "aux weights", weights), change("aux_weights")],
    state.zoom && [gnet.say("zoomed", { from, to }), whole],
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
  bar.ariaLabel = gnet.say(begins ? "start of run" : "progress of run");
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

gnet.train.draw((changed) => {
  if (!changed("track", "events", "run", "ready", "trouble", "zoom", "away")) return;
  if (changingRun !== state.run) for (const part of [form, naming]) shut(part);
  const track = shown();
  if (!track?.run) {
    title(gnet.say(state.trouble ? "no such run" : "no run"));
    put(find(".said"), "");
    put(find(".facts"), escape(state.trouble));
    find(".controls").innerHTML = find(".controls").dataset.key = "";
    find(".progress i").style.width = "0";
    find(".progress").ariaValueNow = "0";
    return;
  }
  const { run } = track;
  title(run.state === "running" ? run.name : `${run.name}, ${run.word}`, run);
  progress(track);
  controls(run);
  if (state.away) return put(find(".facts"), `<span>${gnet.say("server away")}</span>`);
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
  form.querySelector("span").textContent = gnet.say(rate ? "new rate" : "new weight");
  form.querySelector("small").textContent = gnet.say(rate ? "new rate does" : "new weight does");
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
    answer = { error: gnet.say("server away now") };
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
    await gnet.copy(link);
    copy.textContent = gnet.say("copied");
  } catch {
    prompt(gnet.say("link to run"), link);
  }
});
for (const kind of ["pointerleave", "blur"]) copy.addEventListener(kind, () => (copy.textContent = gnet.say("copy link")));

find(".another").addEventListener("click", () => gnet.lead(document.querySelector("#train-left")));

// A run was started: it is the one to be seen.
watch("value", () => {
  const started = JSON.parse(props.value || "{}");
  if (started.run) gnet.train.begun(started);
});
