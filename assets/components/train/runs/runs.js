// The runs so far: what they differ in and how they did; one is shown, others are laid over it.
const find = (selector) => element.querySelector(selector);
const { state, owner, EVER } = gnet.train;
const { escape } = gnet;
const HEADS = ["main", "aux2", "aux1"];

function clock(seconds) {
  const whole = Math.round(seconds || 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function accuracy(row, head) {
  if (row.untrained.includes(head)) return `<span class="quiet">untrained</span>`;
  const value = row.accuracy?.[head];
  if (value !== undefined && value !== null) return `${(100 * value).toFixed(1)}\u00a0%`;
  if (head === "main" && EVER.includes(row.state)) return row.word;
  return "";
}

function rowOf(row) {
  const on = row.id === state.run;
  const name = escape(row.name);
  const look = gnet.tracks.laid(state).indexOf(row.id); // how its lines are drawn
  const stopped = ["stopped", "interrupted", "failed", "diverged"].includes(row.state) ? ` <span class="quiet" title="${escape(row.message)}">${row.word}</span>` : "";
  const differs = row.differs.map(([what, value]) => `${escape(what)} <b>${escape(value)}</b>`).join(", ");
  const actions = [
    row.explore && `<button type="button" data-do="explore">${gnet.say("explore run")}</button>`,
    row.mine && !EVER.includes(row.state) && `<button type="button" data-do="delete" aria-label="${gnet.say("delete named", { name })}">${gnet.say("delete")}</button>`,
  ];
  if (leaving.has(row.id)) {
    return `<tr data-run="${row.id}" class="leaves"><td colspan="8"><span>${gnet.say("deleted", { name })}</span>` +
      `<button type="button" data-do="undo" aria-label="${gnet.say("undo named", { name })}">${gnet.say("undo")}</button>` +
      `<button type="button" data-do="now" aria-label="${gnet.say("delete named now", { name })}">${gnet.say("delete now")}</button></td></tr>`;
  }
  return (
    `<tr data-run="${row.id}" class="${on ? "shown" : ""}">` +
    `<td class="tick"><input type="checkbox" aria-label="${gnet.say("lay over", { name })}" title="${gnet.say("on plots")}" ${on ? "checked disabled" : state.over.has(row.id) ? "checked" : ""}>${look < 0 ? "" : gnet.chart.sample(look)}</td>` +
    `<td><button type="button" data-do="show" aria-pressed="${on}">${name}</button>${stopped}</td>` +
    `<td class="differs" title="${escape(row.differs_more)}">${differs}</td>` +
    HEADS.map((head) => `<td class="n" data-head="${head}">${accuracy(row, head)}</td>`).join("") +
    `<td class="n" data-head="time">${row.seconds ? clock(row.seconds) : ""}</td>` +
    `<td>${actions.filter(Boolean).join("")}</td></tr>`
  );
}

// Only rows that have changed are replaced, so that what has the focus keeps it.
function rows() {
  const body = find("tbody");
  const kept = new Map([...body.children].map((part) => [part.dataset.run, part]));
  state.rows.forEach((row, i) => {
    const html = rowOf(row);
    let part = kept.get(row.id);
    kept.delete(row.id);
    if (part?.dataset.html !== html) {
      const focused = part?.contains(document.activeElement) ? document.activeElement.dataset.do ?? "" : null;
      const holder = document.createElement("tbody");
      holder.innerHTML = html;
      const fresh = holder.firstElementChild;
      fresh.dataset.html = html;
      part?.replaceWith(fresh);
      part = fresh;
      if (focused !== null) part.querySelector(focused ? `[data-do="${focused}"]` : "input")?.focus();
    }
    if (body.children[i] !== part) body.insertBefore(part, body.children[i] ?? null);
  });
  for (const part of kept.values()) part.remove();
  find(".wide").hidden = !state.rows.length;
  find(".none").textContent = state.rows.length || !state.ready ? "" : gnet.say("no runs");
}

// A deleted run can be brought back for some seconds; only then the server hears of it.
const UNDO = 10_000; // ms
const leaving = new Map(); // run → its timer
function leave(run) {
  leaving.set(run, setTimeout(() => remove(run), UNDO));
  if (run === state.run) gnet.train.choose({ run: state.rows.find(({ id }) => !leaving.has(id))?.id ?? run });
  rows();
  find(`[data-run="${run}"] [data-do=undo]`)?.focus();
}
function keep(run) {
  clearTimeout(leaving.get(run));
  leaving.delete(run);
  rows();
  find(`[data-run="${run}"] [data-do=show]`)?.focus();
}
function remove(run) {
  clearTimeout(leaving.get(run));
  gnet.train.deleted.add(run);
  trigger("steer", { run, owner, action: "delete" });
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  const run = event.target.closest("[data-run]")?.dataset.run;
  if (!button || !run) return;
  const acts = { show: () => gnet.train.choose({ run }), explore: () => gnet.train.explore(run), delete: () => leave(run), undo: () => keep(run), now: () => remove(run) };
  acts[button.dataset.do]();
});
element.addEventListener("change", (event) => {
  const run = event.target.closest("[data-run]")?.dataset.run;
  if (run) gnet.train.lay(run, event.target.checked);
});
gnet.train.draw((changed) => {
  if (changed("rows", "ready", "run", "over")) rows();
  const line = find(".queue");
  const { said = "" } = state.queue;
  if (line.textContent !== said) line.textContent = said;
  const after = find(".after");
  if (after.textContent !== state.after) after.textContent = state.after;
});
