// The confusion matrix, of which each cell opens its pictures, and whether heads are as sure as right.
const find = (selector) => element.querySelector(selector);
const box = find(".box");
const { state, name } = gnet.review;
const { percent, escape } = gnet;
const NAMED = 32; // up to so many classes each has its name
let at = null; // the cell pointed at, or where the arrow keys are
let place = null; // how cells lie in the drawing

const told = () => state.review.heads[state.head];
const count = (row, column) => told().cells.find(([r, c]) => r === row && c === column)?.[2] ?? 0;
const words = (text, length) => escape(text.length > length ? `${text.slice(0, length - 1)}…` : text);

function matrix() {
  const { classes } = state.review;
  const n = classes.length;
  const named = n <= NAMED;
  const width = box.clientWidth;
  if (!width) return;
  const letters = Math.min(16, Math.max(...classes.map((text) => text.length)));
  const small = width < 420;
  const left = named ? Math.min((small ? 6 : 7) * letters + 12, width * 0.3) : 4;
  const right = named ? 44 : 4;
  const side = Math.min(width - left - right, 430);
  const cell = side / n;
  const below = named ? Math.min(5.4 * letters + 14, 84) : 6;
  const top = 4;
  place = { left, top, cell, n };
  const x = (column) => (left + column * cell).toFixed(2);
  const y = (row) => (top + row * cell).toFixed(2);
  const { cells, counts, by_class: right_by } = told();
  const written = cell >= 20;
  const parts = cells.map(([row, column, many]) => {
    const strength = (many / counts[row]) ** 0.6;
    const kind = row === column ? "right" : "wrong";
    const rect = `<rect class="${kind}" x="${x(column)}" y="${y(row)}" width="${cell.toFixed(2)}" height="${cell.toFixed(2)}" fill-opacity="${(0.06 + 0.94 * strength).toFixed(3)}"/>`;
    const number = `<text class="${strength > 0.62 ? "strong" : ""}" x="${(left + (column + 0.5) * cell).toFixed(1)}" y="${(top + (row + 0.5) * cell + 4).toFixed(1)}" text-anchor="middle">${many}</text>`;
    return rect + (written ? number : "");
  });
  const fits = Math.floor((left - 12) / (small ? 5.6 : 6.3));
  const labels = named
    ? classes.map((text, i) => {
        const middle = top + (i + 0.5) * cell + 4;
        const share = right_by[i] === null ? "–" : percent(right_by[i]);
        const under = left + (i + 0.5) * cell + 4;
        return (
          `<text class="name" x="${(left - 7).toFixed(1)}" y="${middle.toFixed(1)}" text-anchor="end">${words(text, fits)}</text>` +
          `<text class="share" x="${left + side + 40}" y="${middle.toFixed(1)}" text-anchor="end">${share}</text>` +
          `<text class="name" transform="translate(${under.toFixed(1)} ${top + side + 11}) rotate(-45)" text-anchor="end">${words(text, 14)}</text>`
        );
      })
    : [];
  const height = top + side + below;
  box.innerHTML =
    `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="application" tabindex="0"` +
    ` aria-label="${gnet.say("matrix", { head: state.head, count: n })}">` +
    `${parts.join("")}${labels.join("")}` +
    `<rect class="frame" x="${left}" y="${top}" width="${side}" height="${side}"/>` +
    `<rect class="open" hidden/><rect class="at" hidden/></svg>`;
  mark();
}

function mark() {
  const put = (rect, cell) => {
    rect.toggleAttribute("hidden", !cell);
    if (!cell) return;
    const { left, top, cell: side } = place;
    const least = Math.max(side, 6);
    for (const [key, value] of Object.entries({
      x: left + cell[1] * side, y: top + cell[0] * side, width: least, height: least,
    })) rect.setAttribute(key, value);
  };
  const { truth, answer } = state.chosen;
  const both = truth !== undefined && answer !== undefined;
  put(find(".open"), both ? [truth, answer] : null);
  put(find(".at"), at);
  const cell = at ?? (both ? [truth, answer] : null);
  find(".tip").textContent = cell ? sentence(cell) : gnet.say("point");
}

function sentence([row, column]) {
  const all = told().counts[row];
  const many = count(row, column);
  const names = { truth: name(row), answer: name(column), many, all, share: all ? percent(many / all) : "" };
  return gnet.say((row === column ? "right" : "mistaken") + (all ? "" : " none"), names);
}

function under(event) {
  const { left, top } = box.firstChild.getBoundingClientRect();
  const column = Math.floor((event.clientX - left - place.left) / place.cell);
  const row = Math.floor((event.clientY - top - place.top) / place.cell);
  return [row, column].every((i) => i >= 0 && i < place.n) ? [row, column] : null;
}

function open([row, column]) {
  gnet.review.choose({ truth: row, answer: column });
}
box.addEventListener("pointermove", (event) => {
  if (event.pointerType === "touch") return;
  at = under(event);
  mark();
});
box.addEventListener("pointerleave", () => {
  at = null;
  if (place) mark();
});
box.addEventListener("click", (event) => {
  at = under(event);
  mark();
  if (at) open(at);
});
box.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!by && !(at && ["Enter", " "].includes(event.key))) return;
  event.preventDefault();
  if (by) at = at ? at.map((i, k) => Math.min(place.n - 1, Math.max(0, i + by[k]))) : [0, 0];
  else open(at);
  mark();
});

// Confidence against how often it came true, all heads on one square.
function curve() {
  const [side, left, top] = [Math.min(230, find(".curve").clientWidth - 60), 34, 22];
  if (side < 40) return;
  const x = (p) => (left + p * side).toFixed(1);
  const y = (p) => (top + (1 - p) * side).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (p) =>
      `<path class="rule" d="M${left} ${y(p)}h${side}M${x(p)} ${top}v${side}"/>` +
      `<text x="${left - 6}" y="${+y(p) + 4}" text-anchor="end">${100 * p}</text>` +
      `<text x="${x(p)}" y="${top + side + 16}" text-anchor="middle">${100 * p}</text>`,
  );
  const { heads, pictures } = state.review;
  const order = Object.keys(heads).sort((a, b) => (a === state.head) - (b === state.head));
  const lines = order.map((head) => {
    const points = heads[head].bins.map(([sure, right, many]) => [x(sure), y(right), 2 + 6 * Math.sqrt(many / pictures)]);
    const dots = points.map(([px, py, r]) => `<circle cx="${px}" cy="${py}" r="${r.toFixed(1)}"/>`);
    return `<g class="${head} ${head === state.head ? "" : "faint"}"><path class="line" d="M${points.map(([px, py]) => `${px} ${py}`).join("L")}"/>${dots.join("")}</g>`;
  });
  const said = Object.entries(heads).map(([head, { error }]) => `${head} ${percent(error)}`);
  find(".curve").innerHTML =
    `<svg width="${left + side + 22}" height="${top + side + 38}" role="img" aria-label="${gnet.say("reliability", { errors: said.join(", ") })}">` +
    `${ticks.join("")}<path class="ideal" d="M${x(0)} ${y(0)}L${x(1)} ${y(1)}"/>${lines.join("")}` +
    `<text x="${left + side}" y="${top + side + 33}" text-anchor="end">${gnet.say("how sure")}</text>` +
    `<text x="0" y="11">${gnet.say("how right")}</text></svg>`;
  find(".error").innerHTML = `<b>${state.head}</b> ${escape(told().calibration)}`;
}

function confused() {
  const { confused, counts } = told();
  find(".confused").innerHTML = confused
    .map(([row, column, many]) => `<button type="button" data-cell="${row},${column}"><span>${escape(name(row))} <small>mistaken for</small> ${escape(name(column))}</span><b>${many} of ${counts[row]}</b></button>`)
    .join("") || "<p>None.</p>";
}
find(".confused").addEventListener("click", (event) => {
  const cell = event.target.closest("button")?.dataset.cell;
  if (cell) open(cell.split(",").map(Number));
});

function all() {
  if (!state.review || !state.head) return;
  matrix();
  curve();
}
new ResizeObserver(all).observe(box);
gnet.review.draw((changed) => {
  const there = state.review && state.head;
  find(".pair").hidden = !there;
  if (!there) return;
  if (changed("review", "head")) {
    at = null;
    all();
    confused();
  } else if (changed("chosen")) mark();
});
