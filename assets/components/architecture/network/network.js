// The drawing of the network: zoom with the buttons, keys, a double click or ctrl and the wheel; drag
// to move; a block tells what is known of it. Places come with the answer.
const find = (selector) => element.querySelector(selector);
const [svg, sheet] = ["svg", ".sheet"].map(find);
const { state } = gnet.plan;
const EDGE = 24; // room around the drawing, in its units
const MOST = 6; // times the whole
let view = null; // what is seen of the drawing: left, top, width, height
let held = null; // a finger or the mouse that moves it
let moved = false;

const whole = () => {
  const { width, height } = state.shown.drawing;
  return [-EDGE, -EDGE, width + 2 * EDGE, height + 2 * EDGE];
};
const blocks = () => state.shown.drawing.nodes;
const groups = () => state.shown.drawing.groups;

// Look at a part of the drawing; it never leaves the sheet.
function look([x, y, width, height]) {
  const [left, top, most, tall] = whole();
  const ratio = tall / most;
  const wide = Math.min(most, Math.max(most / MOST, width, height / ratio));
  const high = wide * ratio;
  const between = (low, value, high) => Math.max(low, Math.min(value, high));
  view = [between(left, x + (width - wide) / 2, left + most - wide), between(top, y + (height - high) / 2, top + tall - high), wide, high];
  svg.setAttribute("viewBox", view.map((value) => value.toFixed(1)).join(" "));
  const near = svg.clientWidth / wide; // px for a unit
  svg.style.setProperty("--unit", `${(1 / near).toFixed(3)}px`);
  svg.classList.toggle("near", near > 0.62);
  svg.classList.toggle("nearer", near > 1.25);
  const full = wide >= most - 1;
  find('[data-zoom="out"]').disabled = full;
  find('[data-zoom="in"]').disabled = wide <= most / MOST + 1;
  sheet.classList.toggle("zoomed", !full);
}

function zoom(factor, at = [view[0] + view[2] / 2, view[1] + view[3] / 2]) {
  const [x, y, width, height] = view;
  look([at[0] - (at[0] - x) / factor, at[1] - (at[1] - y) / factor, width / factor, height / factor]);
}

// A block or module with some room around it.
const around = ([x, y, width, height], room) => [x - room, y - room, width + 2 * room, height + 2 * room];

function text(x, y, words, kind) {
  return words ? `<text x="${x}" y="${y}" class="${kind}">${gnet.escape(words)}</text>` : "";
}

function block({ id, place: [x, y, width, height], title, sub, steps, branch, kind }) {
  const middle = x + width / 2;
  const tall = height > 40;
  const order = steps.map((step, i) => {
    const part = (width - 8) / steps.length;
    const short = gnet.say({ convolution: "plan conv", "batch norm": "plan norm", ReLU: "plan relu" }[step]);
    return `<rect class="step" x="${x + 4 + i * part}" y="${y + height - 10}" width="${part - 2}" height="8" rx="2"/><text class="order" x="${x + 3 + (i + 0.5) * part}" y="${y + height - 4}">${short}</text>`;
  });
  const words = text(middle, y + (tall ? 21 : 15.5), title, title.length > 9 ? "title long" : "title") + text(middle, y + (tall ? 39 : 31.5), sub, sub.length > 10 ? "sub long" : "sub");
  return `<g class="block ${kind.split(" ")[0]}${branch ? ` b${branch}` : ""}" data-block="${id}"><rect class="frame" x="${x}" y="${y}" width="${width}" height="${height}" rx="5"/>${words}${order.join("")}</g>`;
}

function group({ id, place: [x, y, width, height], concat, title, sub }) {
  const [cx, cy, cw, ch] = concat;
  return (
    `<g class="group" data-stage="${id}"><rect class="room" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>` +
    `<rect class="concat" x="${cx}" y="${cy}" width="${cw}" height="${ch}" rx="2"/>${text(x + 12, y + 19, title, "name")}${text(x + width - 12, y + 19, sub, "widths")}</g>`
  );
}

function draw() {
  const { drawing } = state.shown;
  const arrows = drawing.edges.map(({ path, branch }, i) => `<path class="edge${branch ? ` b${branch}` : ""}" data-edge="${i}" d="${path}"/>`);
  const labels = groups().map(({ id, place: [x, y, width, height] }) => `<text class="far" data-for="${id}" x="${x + width / 2}" y="${y + height / 2}">${id}</text>`);
  const notes = drawing.labels.map(({ text: words, at: [x, y] }) => text(x, y, words, "note"));
  svg.innerHTML = groups().map(group).join("") + arrows.join("") + blocks().map(block).join("") + notes.join("") + labels.join("");
  find(".stages").innerHTML = groups().map(({ id }) => `<button type="button" data-zoom="${id}">${id}</button>`).join("");
  look(view ?? whole());
  fade();
  tell();
}

// What the chosen head does not need grows pale.
function fade() {
  const { head, shown } = state;
  const parts = [[".group", groups()], [".edge", shown.drawing.edges], [".block", blocks()], [".far", groups()], [".note", shown.drawing.labels]];
  for (const [kind, list] of parts) {
    svg.querySelectorAll(kind).forEach((one, i) => one.classList.toggle("pale", Boolean(head) && !list[i].heads.includes(head)));
  }
}

// What is known of the block chosen, or of the module.
function tell() {
  const chosen = blocks().find((one) => one.id === state.block);
  const module = groups().find((one) => one.id === gnet.state.stage);
  const { facts, id } = chosen ?? module;
  find("h3").textContent = chosen ? `${chosen.stage && chosen.stage !== id ? `${chosen.stage} · ` : ""}${chosen.title}` : gnet.say("plan module", { stage: id });
  find("dl").innerHTML = facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${gnet.escape(value)}</dd></div>`).join("");
  for (const one of svg.querySelectorAll(".block")) one.classList.toggle("chosen", one.dataset.block === state.block);
  for (const one of svg.querySelectorAll(".group")) one.classList.toggle("chosen", one.dataset.stage === gnet.state.stage);
}

function choose(one) {
  gnet.plan.change({ block: one.id });
  if (groups().some(({ id }) => id === one.stage)) gnet.choose({ stage: one.stage });
  const [x, y, width, height] = one.place;
  const inside = x >= view[0] && y >= view[1] && x + width <= view[0] + view[2] && y + height <= view[1] + view[3];
  if (!inside) look([x + width / 2 - view[2] / 2, y + height / 2 - view[3] / 2, view[2], view[3]]);
}

function zoomTo(what) {
  const module = groups().find(({ id }) => id === what);
  if (what === "whole") look(whole());
  else if (!module) zoom(what === "in" ? 1.6 : 1 / 1.6);
  else {
    look(around(module.place, 10));
    gnet.plan.change({ block: "" });
    gnet.choose({ stage: what });
  }
}

function step(by) {
  const at = blocks().findIndex((one) => one.id === state.block);
  choose(blocks()[Math.max(0, Math.min(blocks().length - 1, at < 0 ? 0 : at + by))]);
}

const place = ({ clientX, clientY }) => {
  const { left, top, width, height } = svg.getBoundingClientRect();
  return [view[0] + ((clientX - left) / width) * view[2], view[1] + ((clientY - top) / height) * view[3]];
};
find(".tools").addEventListener("click", ({ target: { dataset } }) => {
  if (dataset.zoom && state.shown) zoomTo(dataset.zoom);
  if (dataset.save) document.dispatchEvent(new CustomEvent("gnet-plan-save", { detail: dataset.save }));
});
svg.addEventListener("click", ({ target }) => {
  if (moved) return;
  const block = target.closest("[data-block]")?.dataset.block;
  const stage = target.closest("[data-stage]")?.dataset.stage;
  if (block) choose(blocks().find((one) => one.id === block));
  else if (stage) {
    gnet.plan.change({ block: "" });
    gnet.choose({ stage });
  }
});
svg.addEventListener("dblclick", (event) => zoom(1.8, place(event)));
svg.addEventListener("wheel", (event) => {
  if (!event.ctrlKey || !view) return; // without ctrl the page scrolls
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, place(event));
});
svg.addEventListener("pointerdown", (event) => {
  held = view && { x: event.clientX, y: event.clientY, view };
  moved = false;
});
addEventListener("pointermove", (event) => {
  if (!held) return;
  const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
  if (Math.hypot(dx, dy) > 4) moved = true;
  const unit = view[2] / svg.clientWidth;
  if (moved) look([held.view[0] - dx * unit, held.view[1] - dy * unit, view[2], view[3]]);
});
for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, () => (held = null));
sheet.addEventListener("keydown", (event) => {
  const act = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: () => look(whole()) }[event.key];
  if (!act || !state.shown || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  act();
});
new ResizeObserver(() => view && svg.clientWidth && look(view)).observe(svg);
gnet.draw((changed) => {
  if (!state.shown) return;
  find("section").classList.toggle("dim", !gnet.plan.meant(state.shown));
  if (changed.has("plan shown")) draw();
  if (changed.has("plan head")) fade();
  if (["stage", "plan block"].some((one) => changed.has(one))) tell();
}, ["architecture"], true);
