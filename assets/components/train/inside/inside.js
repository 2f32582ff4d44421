// How the branches develop: one picture's maps within and after each epoch, and the shares.
const find = (selector) => element.querySelector(selector);
const { state, shown } = gnet.train;
const { number, percent, escape } = gnet;
const STAGES = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"];
const BRANCHES = ["1x1", "3x3", "5x5", "pool"];
const label = (branch) => branch.replace("x", "×");

find(".stages").innerHTML = STAGES.map((stage) => `<button type="button" data-stage="${stage}">${stage}</button>`).join("");
find(".stages").addEventListener("click", (event) => {
  const { stage } = event.target.closest("button")?.dataset ?? {};
  if (stage) gnet.train.choose({ stage });
});
find(".maps").innerHTML = BRANCHES.map(
  (branch) => `<figure data-branch="${branch}" class="b${branch}"><div class="frame"><canvas role="img" width="1" height="1"></canvas></div>` +
    `<figcaption><b>${label(branch)}</b><i></i><span></span></figcaption></figure>`,
).join("");
const shares = gnet.chart(find(".shares .chart"), { ...gnet.train.zooming, height: 112, unit: (v) => `${Math.round(100 * v)}`, rows: 3 });
const slider = find(".scrub input");
slider.addEventListener("input", () => {
  stop();
  turn(Number(slider.value));
});
const turn = (at) => gnet.train.choose({ epoch: at === Number(slider.max) ? null : at });

// Play: one recording after the other, from the chosen one or from the start.
const FRAME = 450; // ms
let playing = null;
function stop() {
  clearInterval(playing);
  playing = null;
  find(".play").textContent = "Play";
}
find(".play").addEventListener("click", () => {
  if (playing) return stop();
  find(".play").textContent = "Stop";
  if (Number(slider.value) === Number(slider.max)) turn(0);
  playing = setInterval(() => {
    const next = Number(slider.value) + 1;
    if (gnet.state.tab === "train" && next <= Number(slider.max)) turn(next);
    if (next >= Number(slider.max)) stop();
  }, FRAME);
});

// When a recording was made: at an epoch's end, or at a step within it.
function moment(track, { step, epoch }) {
  const each = (track.frame?.steps ?? 0) / track.epochs;
  if (!step) return gnet.say("before");
  return gnet.say(step % each ? "within" : "after", { epoch, step });
}

// A map of few cells is doubled until it is large: its cells run smoothly into one another.
function smooth(canvas, map, limit, signed) {
  let drawn = document.createElement("canvas");
  gnet.paint(drawn, map, map.size, limit, signed);
  while (drawn.width < 200) {
    const twice = document.createElement("canvas");
    [twice.width, twice.height] = [2 * drawn.width, 2 * drawn.height];
    twice.getContext("2d").drawImage(drawn, 0, 0, twice.width, twice.height);
    drawn = twice;
  }
  [canvas.width, canvas.height] = [drawn.width, drawn.height];
  canvas.getContext("2d").drawImage(drawn, 0, 0);
}

function maps(track) {
  const seen = track.branches;
  const at = Math.min(seen.length - 1, state.epoch ?? seen.length - 1);
  slider.max = Math.max(0, seen.length - 1);
  slider.value = at < 0 ? 0 : at;
  slider.disabled = seen.length < 2;
  const one = seen[at];
  find(".play").disabled = seen.length < 2;
  find("output").textContent = one ? moment(track, one) : "";
  slider.setAttribute("aria-valuetext", find("output").textContent);
  const of = one?.maps[state.stage];
  const limit = of ? Math.max(...Object.values(of).map((map) => Math.abs(map.high)), ...Object.values(of).map((map) => Math.abs(map.low))) : 0;
  const signed = of ? Object.values(of).some((map) => map.low < 0) : false;
  for (const figure of find(".maps").children) {
    const { branch } = figure.dataset;
    const map = of?.[branch];
    const [canvas, words, grid] = ["canvas", "span", "i"].map((part) => figure.querySelector(part));
    const astray = map && (map.high === null || map.low === null); // outputs that are no numbers
    canvas.style.visibility = map && !astray ? "" : "hidden";
    canvas.classList.toggle("none", !one);
    grid.textContent = map && !astray ? map.size.join("×") : "";
    grid.title = map ? gnet.say("cells", { cells: map.size.join(" by ") }) : "";
    if (!map || astray) {
      words.textContent = astray ? gnet.say("astray") : one ? gnet.say("left out") : "";
      canvas.setAttribute("aria-label", `${label(branch)}: ${words.textContent || gnet.say("nothing yet")}`);
      continue;
    }
    smooth(canvas, map, limit, signed);
    const names = { stage: state.stage, branch: label(branch), cells: map.size.join(" by "), moment: find("output").textContent };
    const [low, high, share] = [number(map.low), number(map.high), percent(one.shares[state.stage][branch])];
    words.textContent = gnet.say("up to", { share, high });
    canvas.setAttribute("aria-label", gnet.say("inside map", { ...names, low, high }));
  }
  belief(track, one);
}

const pictures = new Map(); // run → its pinned picture

// The main head’s belief about the pinned picture by then.
function belief(track, one) {
  const image = find(".pinned img");
  if (one && !pictures.has(track.id)) {
    pictures.set(track.id, "");
    server.pinned({ run: track.id }).then(({ src }) => {
      pictures.set(track.id, src ?? "");
      if (shown()?.id === track.id) belief(track, one);
    }).catch(() => pictures.delete(track.id));
  }
  const src = pictures.get(track.id);
  if (src && image.getAttribute("src") !== src) image.src = src;
  image.hidden = !src;
  const names = track.frame?.classes ?? [];
  const [first] = one?.belief?.main ?? [];
  find(".pinned figcaption").innerHTML = first
    ? `<span>main: <b>${escape(names[first[0]] ?? first[0])}</b> ${first[1] === null ? "" : percent(first[1])}</span>`
    : one === undefined && track.run.config.pinned < 0 ? gnet.say("no picture pinned") : "";
}

function curves(track) {
  const seen = track.branches.filter((event) => event.shares[state.stage]);
  const xs = seen.map((event) => gnet.train.at(track, event.step));
  const whole = [0, track.epochs];
  const present = BRANCHES.filter((branch) => seen.some((event) => event.shares[state.stage][branch] !== undefined));
  const layers = present.flatMap((branch) => {
    const ys = seen.map((event) => event.shares[state.stage][branch] ?? NaN);
    return [{ kind: "line", hue: `b${branch}`, xs, ys }, { kind: "dots", hue: `b${branch}`, xs, ys }];
  });
  const last = seen.at(-1)?.shares[state.stage] ?? {};
  const words = present.map((branch) => `${label(branch)} ${percent(last[branch] ?? 0)}`).join(", ");
  shares.draw({ whole, marks: [], layers, words: gnet.say("shares", { stage: state.stage, shares: words || gnet.say("nothing yet") }) });
}

const nothing = { run: { config: { pinned: 0 } }, branches: [], epochs: 5, marks: [] };
const unseen = find(".look").textContent; // what is said before any run
let drawn = "";
gnet.train.draw((changed) => {
  if (!changed("events", "run", "stage", "epoch", "zoom", "track")) return;
  for (const button of find(".stages").children) button.ariaPressed = String(button.dataset.stage === state.stage);
  const track = shown()?.run ? shown() : nothing;
  const key = [track.id, state.stage, state.epoch, track.branches.length, JSON.stringify(state.zoom)].join();
  if (key === drawn && !changed("zoom")) return;
  drawn = key;
  find(".look").textContent = track.run.watched ?? unseen;
  maps(track);
  curves(track);
});
