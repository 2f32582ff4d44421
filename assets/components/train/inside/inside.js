// How the branches develop: one picture's maps after each epoch, and the shares over the run.
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
  (branch) => `<figure data-branch="${branch}" class="b${branch}"><canvas role="img" width="1" height="1"></canvas><figcaption><b>${label(branch)}</b><span></span></figcaption></figure>`,
).join("");
const shares = gnet.chart(find(".shares .chart"), { ...gnet.train.zooming, height: 118, unit: (v) => `${Math.round(100 * v)}`, rows: 3 });
const rate = gnet.chart(find(".rate"), { ...gnet.train.zooming, height: 96, rows: 2 });
const speed = gnet.chart(find(".speed"), { ...gnet.train.zooming, height: 96, rows: 2 });
const slider = find(".scrub input");
slider.addEventListener("input", () => {
  const last = Number(slider.max);
  gnet.train.choose({ epoch: Number(slider.value) === last ? null : Number(slider.value) });
});

function maps(track) {
  const seen = track.branches;
  const at = Math.min(seen.length - 1, state.epoch ?? seen.length - 1);
  slider.max = Math.max(0, seen.length - 1);
  slider.value = at < 0 ? 0 : at;
  slider.disabled = seen.length < 2;
  const one = seen[at];
  const epoch = one?.epoch ?? 0;
  find("output").textContent = one ? (epoch ? `after epoch ${epoch}` : "before any step") : "";
  slider.setAttribute("aria-valuetext", find("output").textContent);
  const of = one?.maps[state.stage];
  const limit = of ? Math.max(...Object.values(of).map((map) => Math.abs(map.high)), ...Object.values(of).map((map) => Math.abs(map.low))) : 0;
  const signed = of ? Object.values(of).some((map) => map.low < 0) : false;
  for (const figure of find(".maps").children) {
    const { branch } = figure.dataset;
    const map = of?.[branch];
    const [canvas, words] = [figure.firstElementChild, figure.querySelector("span")];
    const astray = map && (map.high === null || map.low === null); // outputs that are no numbers
    canvas.style.visibility = map && !astray ? "" : "hidden";
    canvas.classList.toggle("none", !one);
    if (!map || astray) {
      words.textContent = astray ? "no numbers any more" : one ? "left out" : "";
      canvas.setAttribute("aria-label", `${label(branch)}: ${words.textContent || "nothing yet"}`);
      continue;
    }
    gnet.paint(canvas, map, map.size, limit, signed);
    words.textContent = `${percent(one.shares[state.stage][branch])}, up to ${number(map.high)}`;
    canvas.setAttribute("aria-label", `Mean map of ${state.stage}'s ${label(branch)} branch, ${find("output").textContent}, from ${number(map.low)} to ${number(map.high)}`);
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
    ? `main says <b>${escape(names[first[0]] ?? first[0])}</b>${first[1] === null ? "" : percent(first[1])}`
    : one === undefined && track.run.config.pinned < 0 ? "This run pinned no picture." : "";
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
  shares.draw({ whole, marks: [], layers, words: `Share of each branch in ${state.stage} over the run: ${words || "nothing yet"}` });
}

function rates(track) {
  const shared = { whole: [0, track.epochs], marks: track.marks };
  rate.draw({ ...shared, layers: [{ kind: "line", hue: "plain", xs: track.x, ys: track.rate }], words: `Learning rate, now ${number(track.rate.at(-1) ?? 0)}` });
  speed.draw({ ...shared, layers: [{ kind: "line", hue: "plain", xs: track.x, ys: track.speed }], words: `Pictures a second, now ${number(track.speed.at(-1) ?? 0)}` });
}

const nothing = { run: { config: { pinned: 0 } }, branches: [], epochs: 5, marks: [], x: [], rate: [], speed: [] };
let drawn = "";
gnet.train.draw((changed) => {
  if (!changed("events", "run", "stage", "epoch", "zoom", "track")) return;
  for (const button of find(".stages").children) button.ariaPressed = String(button.dataset.stage === state.stage);
  const track = shown()?.run ? shown() : nothing;
  if (changed("events", "run", "zoom")) rates(track);
  const key = [track.id, state.stage, state.epoch, track.branches.length, JSON.stringify(state.zoom)].join();
  if (key === drawn && !changed("zoom")) return;
  drawn = key;
  maps(track);
  curves(track);
});
