// The response of a module's four branches to stripes from fine to coarse: lines with the band of
// their directions, and the pattern at the pointer.
const find = (selector) => element.querySelector(selector);
const [svg, range, all] = ["svg", "input", ".all"].map(find);
const { state } = gnet;
const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [46, 10, 10, 36, 260];
let shown = null;
let at = 0; // the number of the scale looked at
let wanted = false; // nothing is measured before somebody asks

const questions = gnet.asking("scales", (question) => {
  props.value = question;
  trigger("measured");
});

let last = ""; // the question asked last
function ask() {
  const question = { net: state.net, stage: state.stage };
  const words = JSON.stringify(question);
  if (!wanted || words === last) return;
  last = words;
  all.classList.add("dim");
  find(".start").hidden = true;
  if (!shown) find(".sentence").textContent = "Measuring…";
  questions.ask(question);
}

function places() {
  const { periods, limit } = shown;
  const [low, high] = [periods[0], periods.at(-1)].map(Math.log);
  const width = svg.clientWidth;
  const x = (period) => LEFT + ((Math.log(period) - low) / (high - low)) * (width - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - (limit ? value / limit : 0) * (HEIGHT - TOP - BOTTOM);
  return { x, y, width };
}

const written = (period) => `${gnet.number(Number(period.toFixed(period < 10 ? 1 : 0)))}`;

function chart() {
  if (!shown || !svg.clientWidth) return;
  const { periods, limit, curves } = shown;
  const { x, y, width } = places();
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  const every = width < 420 ? 2 : 1;
  const grid = [0, limit / 2, limit].map((value) => `<line class="grid" x1="${LEFT}" x2="${width - RIGHT}" y1="${y(value)}" y2="${y(value)}"/><text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${gnet.number(Number(value.toPrecision(2)))}</text>`);
  const ticks = periods.map((period, i) => (i % every ? "" : `<text x="${x(period)}" y="${HEIGHT - 20}" text-anchor="middle">${written(period)}</text>`));
  const unit = `<text x="${(LEFT + width - RIGHT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${gnet.say("stripes")}</text>`;
  const parts = Object.entries(curves).map(([branch, { mean, low, high }]) => {
    const points = (values) => values.map((value, i) => `${x(periods[i]).toFixed(1)},${y(value).toFixed(1)}`);
    const band = [...points(high), ...points(low).reverse()].join(" ");
    const dots = mean.map((value, i) => `<circle class="dot" cx="${x(periods[i])}" cy="${y(value)}" r="2.5"/>`);
    return `<g class="b${branch}"><polygon class="band" points="${band}"/><polyline class="line" data-curve="${branch}" points="${points(mean).join(" ")}"/>${dots.join("")}</g>`;
  });
  svg.innerHTML = grid.join("") + ticks.join("") + unit + parts.join("") + `<line class="at" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`;
  look(at);
}

// The pattern of one scale, and the four responses to it.
function look(index) {
  at = Math.max(0, Math.min(shown.periods.length - 1, index));
  const period = shown.periods[at];
  const { x } = places();
  for (const end of ["x1", "x2"]) find(".at")?.setAttribute(end, x(period));
  range.value = at;
  range.setAttribute("aria-valuetext", `${written(period)} px`);
  find("output").textContent = `${written(period)} px`;
  find("img").src = shown.patterns[at];
  find("img").alt = `stripes ${written(period)} px apart`;
  find("dl").innerHTML = Object.entries(shown.curves)
    .map(([branch, { mean, low, high }]) => `<dt class="b${branch}">${gnet.label(branch)}</dt><dd>${gnet.number(mean[at])} (${gnet.number(low[at])} to ${gnet.number(high[at])})</dd>`)
    .join("");
}

function show() {
  all.hidden = false;
  all.classList.remove("dim");
  find(".stage").textContent = shown.stage;
  find(".sentence").textContent = shown.sentence;
  find(".note").textContent = `${shown.note} One scale, 0 to ${gnet.number(shown.limit)}.`;
  find(".key").innerHTML = gnet.branches().map((b) => `<span class="b${b}">${gnet.label(b)}</span>`).join("");
  range.max = shown.periods.length - 1;
  chart();
}

svg.addEventListener("pointermove", (event) => {
  if (!shown) return;
  const { x } = places();
  const px = event.clientX - svg.getBoundingClientRect().left;
  const far = shown.periods.map((period) => Math.abs(x(period) - px));
  look(far.indexOf(Math.min(...far)));
});
range.addEventListener("input", () => shown && look(Number(range.value)));
watch("value", () => {
  if (typeof props.value !== "string") return;
  shown = JSON.parse(props.value);
  show();
  questions.over();
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what !== "scales" || answered) return;
  last = "";
  all.classList.remove("dim");
  if (shown) return;
  find(".start").hidden = false;
  find(".sentence").textContent = "";
});
new ResizeObserver(chart).observe(svg);
find(".measure").addEventListener("click", () => {
  wanted = true;
  ask();
});
gnet.draw((changed) => {
  if (!shown) find(".stage").textContent = state.stage;
  if (["stage", "network", "tab"].some((one) => changed.has(one))) ask();
}, ["branches"]);
