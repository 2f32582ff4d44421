// Any of the 36 branches switched, what that did, and the steps of this picture. It shares its
// switches with Explore.
const find = (selector) => element.querySelector(selector);
const [table, bars, list] = ["table", ".bars", ".history"].map(find);
const { switching, state } = gnet;
const SETTINGS = [["0", "off"], ["mean", "mean"], ["0.5", "× 0.5"], ["2", "× 2"]];
const [SHOWN, ALL_ON] = [5, gnet.say("all on")];
gnet.spell(element);
let setting = "0"; // what a click sets a branch to

const stages = () => Object.keys(state.network.widths);

function build() {
  const heads = gnet.branches().map((b) => `<th scope="col"><button type="button" class="b${b}" data-column="${b}" title="${gnet.say("all nine", { branch: gnet.label(b) })}">${gnet.label(b)}<small>all nine</small></button></th>`);
  const rows = stages().map((stage) => {
    const cells = gnet.branches().map((b) => `<td><button type="button" class="b${b}" data-cell="${stage}/${b}"></button></td>`);
    return `<tr><th scope="row"><button type="button" data-row="${stage}" title="${gnet.say("all four", { stage })}">${stage} <small>all four</small></button></th>${cells.join("")}</tr>`;
  });
  table.innerHTML = `<thead><tr><td></td>${heads.join("")}</tr></thead><tbody>${rows.join("")}</tbody>`;
  find(".set").innerHTML = SETTINGS.map(([value, name]) => `<button type="button" data-set="${value}">${name}</button>`).join("");
  choose(setting);
}

function choose(value) {
  setting = value;
  for (const button of find(".set").children) button.ariaPressed = String(button.dataset.set === value);
}

function cells() {
  for (const cell of table.querySelectorAll("[data-cell]")) {
    const now = switching.of(...cell.dataset.cell.split("/"));
    cell.textContent = switching.word(now);
    cell.ariaPressed = String(now !== "1");
    cell.ariaLabel = `${cell.dataset.cell} ${switching.word(now)}`;
    cell.classList.toggle("part", switching.kind(now) === "part");
  }
}

// Buttons are drawn anew only where something changed, and the focus stays on its own.
function put(part, html) {
  if (part.drawn === html) return;
  const { step, head } = part.contains(document.activeElement) ? document.activeElement.dataset : {};
  part.innerHTML = part.drawn = html;
  const own = step ? `[data-step="${step}"]` : head && `[data-head="${head}"]`;
  if (own) part.querySelector(own)?.focus({ preventScroll: true });
}

// The classes in front before and after, in one head.
function belief() {
  const [before, after] = [state.whole, state.answer].map((answer) => answer.heads[state.head]);
  const trained = Object.keys(state.whole.heads).filter((head) => gnet.believed(head)).reverse();
  const heads = trained.map((head) => `<button type="button" data-head="${head}" aria-pressed="${head === state.head}">${head}</button>`);
  put(find(".heads"), heads.join(""));
  if (!before?.top) return bars.replaceChildren();
  const shown = [...new Set([...before.top.slice(0, SHOWN), ...after.top.slice(0, 3)])];
  bars.innerHTML = shown.map((index) => bar(index, before.probabilities[index], after.probabilities[index])).join("");
}

function bar(index, was, now) {
  const moved = state.answer.switched ? `${gnet.percent(was)} → <b>${gnet.percent(now)}</b>` : gnet.percent(now);
  const line = state.answer.switched ? `<b style="left:${100 * was}%"></b>` : "";
  return (
    `<div class="bar"><span>${gnet.escape(state.network.classes[index])}</span><span>${moved}</span>` +
    `<span class="track"><i style="width:${100 * now}%"></i>${line}</span></div>`
  );
}

function told() {
  const { switched } = state.answer;
  const waits = Boolean(state.switches) && !switched;
  for (const part of [".effect", ".most", ".changes"]) find(part).classList.toggle("dim", waits);
  if (waits) return;
  find(".effect").textContent = switched?.sentence ?? `${ALL_ON}.`;
  find(".most").textContent = switched?.most ?? "";
  find(".changes").innerHTML = (switched?.changes ?? []).map((words) => `<li>${gnet.escape(words)}</li>`).join("");
}

function history() {
  const { all, at } = switching.steps;
  find("[data-undo]").disabled = at === 0;
  find("[data-redo]").disabled = at === all.length - 1;
  find("[data-all-on]").disabled = !state.switches;
  const name = ({ switches, said }) => (switches ? (said?.named ?? switching.worded(switches)) : ALL_ON);
  const steps = all.map((step, i) => `<li><button type="button" data-step="${i}"${i === at ? ' aria-current="step"' : ""}>${gnet.escape(name(step))}<small>${gnet.escape(step.said?.changes[0] ?? "")}</small></button></li>`);
  put(list, steps.reverse().join(""));
}

// Some branches: all to the setting, or all on where they have it already.
function press(names) {
  const all = switching.read();
  const same = names.every((name) => all[name] === setting);
  switching.setAll(Object.fromEntries(names.map((name) => [name, same ? "1" : setting])));
}

table.addEventListener("click", (event) => {
  const { cell, row, column } = event.target.closest("button")?.dataset ?? {};
  if (cell) press([cell]);
  if (row) press(gnet.branches().map((branch) => `${row}/${branch}`));
  if (column) press(stages().map((stage) => `${stage}/${column}`));
});
table.addEventListener("keydown", (event) => {
  const [down, across] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
  if (down === undefined) return;
  const cell = event.target.closest("td, th");
  const next = table.rows[cell.parentElement.rowIndex + down]?.cells[cell.cellIndex + across];
  if (next?.firstElementChild) event.preventDefault();
  next?.firstElementChild?.focus();
});
find(".set").addEventListener("click", (event) => event.target.dataset.set && choose(event.target.dataset.set));
find(".heads").addEventListener("click", (event) => {
  const { head } = event.target.dataset;
  if (head) gnet.choose({ head, target: null });
});
find("[data-undo]").addEventListener("click", () => switching.go(switching.steps.at - 1));
find("[data-redo]").addEventListener("click", () => switching.go(switching.steps.at + 1));
find("[data-all-on]").addEventListener("click", switching.reset);
list.addEventListener("click", (event) => {
  const step = event.target.closest("[data-step]");
  if (step) switching.go(Number(step.dataset.step));
});
gnet.draw(() => {
  if (!table.firstChild) build();
  cells();
  belief();
  told();
  history();
}, ["branches"]);
