// The kernels of the first layer as pictures, and for each unit the distribution of its weights.
const find = (selector) => element.querySelector(selector);
const [canvas, spreads] = ["canvas", ".spreads"].map(find);
const { state } = gnet.plan;
const [SCALE, GAP] = [5, 2]; // px for a weight, px between kernels
let found = null;
let columns = 1;

function ask() {
  if (!state.shown) return;
  if (!found || !gnet.plan.meant(found)) find("section").classList.add("dim");
  line.ask(gnet.plan.question());
}
const line = gnet.asking("show_weights", (question) => {
  props.value = question;
  trigger("looked");
});

function paint() {
  const { count, side, data, limit } = found.kernels;
  const tile = side * SCALE + GAP;
  const room = find(".kernels").clientWidth;
  if (!room) return;
  const most = Math.max(1, Math.min(count, Math.floor((room + GAP) / tile)));
  columns = most;
  while (count % columns && columns > most / 1.5) columns -= 1; // whole rows, if they are not much shorter
  if (count % columns) columns = most;
  const rows = Math.ceil(count / columns);
  canvas.width = columns * tile - GAP;
  canvas.height = rows * tile - GAP;
  canvas.ariaLabel = gnet.say("plan kernels", { count, side, limit });
  const bytes = gnet.bytes(data);
  const context = canvas.getContext("2d");
  for (let i = 0; i < count * side * side; i++) {
    const [kernel, cell] = [Math.floor(i / (side * side)), i % (side * side)];
    const x = (kernel % columns) * tile + (cell % side) * SCALE;
    const y = Math.floor(kernel / columns) * tile + Math.floor(cell / side) * SCALE;
    context.fillStyle = `rgb(${bytes[3 * i]} ${bytes[3 * i + 1]} ${bytes[3 * i + 2]})`;
    context.fillRect(x, y, SCALE, SCALE);
  }
  find(".kernel").textContent = canvas.ariaLabel;
}

const hue = (unit) => {
  const own = /^inception_\w+\/(1x1|3x3|5x5|pool)/.exec(unit);
  return own ? `b${own[1]}` : "";
};

function spread({ unit, bars, limit, words }, at) {
  const wide = 100 / bars.length;
  const drawn = bars.map((part, i) => `M${(i * wide).toFixed(2)} 30v${(-28 * part).toFixed(2)}h${wide.toFixed(2)}v${(28 * part).toFixed(2)}z`);
  const name = unit.replace(/^(inception_\w+|loss\d)\//, "");
  return (
    `<li class="${hue(unit)}" data-at="${at}" tabindex="0" aria-label="${gnet.escape(`${unit}: ${words}`)}"><b>${gnet.escape(name)}</b>` +
    `<svg viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true"><path d="${drawn.join("")}"/></svg><small>±${limit}</small></li>`
  );
}

function show() {
  find("section").classList.remove("dim");
  find(".whose").textContent = found.about;
  paint();
  const stages = [...new Set(found.units.map(({ stage }) => stage))];
  spreads.innerHTML = stages
    .map((stage) => `<section><h3>${gnet.escape(stage)}</h3><ul>${found.units.map((one, at) => (one.stage === stage ? spread(one, at) : "")).join("")}</ul></section>`)
    .join("");
  find(".pointed").textContent = gnet.say("plan spread", found);
}

function point({ target }) {
  const at = target.closest("[data-at]")?.dataset.at;
  if (at !== undefined) find(".pointed").textContent = `${found.units[at].unit}: ${found.units[at].words}`;
}
for (const kind of ["pointerover", "focusin"]) spreads.addEventListener(kind, point);
canvas.addEventListener("pointermove", (event) => {
  if (!found) return;
  const { side, count, ranges } = found.kernels;
  const tile = side * SCALE + GAP;
  const ratio = canvas.width / canvas.clientWidth;
  const number = Math.floor((event.offsetY * ratio) / tile) * columns + Math.floor((event.offsetX * ratio) / tile);
  if (number < count) find(".kernel").textContent = gnet.say("plan kernel", { number, count, range: ranges[number] });
});
canvas.addEventListener("pointerleave", () => found && (find(".kernel").textContent = canvas.ariaLabel));
new ResizeObserver(() => found && paint()).observe(find(".kernels"));
watch("value", () => {
  if (typeof props.value !== "string") return;
  const answer = JSON.parse(props.value);
  line.over();
  if (!gnet.plan.meant(answer)) return;
  found = answer;
  show();
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what === "show_weights" && !answered) find("section").classList.remove("dim");
});
gnet.draw((changed) => {
  if (changed.has("plan shown")) ask();
}, ["architecture"], true);
