// The runs so far: what they differ in and how they did; one is shown, others are laid over it.
const find = (selector) => element.querySelector(selector);
const { state, owner, EVER } = gnet.train;
const { escape } = gnet;
const HEADS = ["main", "aux2", "aux1"];
const WORDS = { queued: "waiting", paused: "paused", stopping: "stopping", starting: "starting", running: "running" };

function clock(seconds) {
  const whole = Math.round(seconds || 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function accuracy(row, head) {
  if (row.untrained.includes(head)) return `<span class="quiet">untrained</span>`;
  const value = row.accuracy?.[head];
  if (value !== undefined && value !== null) return `${(100 * value).toFixed(1)}\u00a0%`;
  if (head === "main" && EVER.includes(row.state)) return WORDS[row.state];
  return "";
}

function rowOf(row) {
  const on = row.id === state.run;
  const name = escape(row.name);
  const look = gnet.tracks.laid(state).indexOf(row.id); // how its lines are drawn
  const stopped = ["stopped", "interrupted", "failed", "diverged"].includes(row.state) ? ` <span class="quiet" title="${escape(row.message)}">${row.state}</span>` : "";
  const differs = row.differs.map(([what, value]) => `${escape(what)} <b>${escape(value)}</b>`).join(", ");
  const actions = [
    row.explore && `<button type="button" data-do="explore">Explore this network</button>`,
    row.mine && !EVER.includes(row.state) && `<button type="button" data-do="delete" aria-label="Delete ${name}">Delete</button>`,
  ];
  return (
    `<tr data-run="${row.id}" class="${on ? "shown" : ""}">` +
    `<td class="tick"><input type="checkbox" aria-label="Lay ${name} over the plots" title="On the plots" ${on ? "checked disabled" : state.over.has(row.id) ? "checked" : ""}>${look < 0 ? "" : gnet.chart.sample(look)}</td>` +
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
  find(".none").textContent = state.rows.length || !state.ready ? "" : "Your runs appear here and can be compared.";
}

// How busy the server is, all runs counted.
function queue({ running, waiting }) {
  const own = state.rows.some((row) => EVER.includes(row.state));
  const other = running && !own ? "A run is training on this server; the next one waits for it." : "";
  const words = !waiting && running < 2 ? other
    : `On this server ${running} ${running === 1 ? "run is" : "runs are"} training and ${waiting} ${waiting === 1 ? "waits" : "wait"}.`;
  const line = find(".queue");
  if (line.textContent !== words) line.textContent = words;
}

// The question whether to delete is taken back.
function calm(run) {
  find(`[data-run="${run}"]`)?.removeAttribute("data-html");
  rows();
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  const run = event.target.closest("[data-run]")?.dataset.run;
  if (!button || !run) return;
  const act = button.dataset.do;
  if (act === "show") gnet.train.choose({ run });
  if (act === "explore") gnet.train.explore(run);
  if (act === "delete") {
    if (button.dataset.sure) {
      gnet.train.deleted.add(run);
      trigger("steer", { run, owner, action: "delete" });
    } else {
      button.dataset.sure = "yes";
      button.textContent = "Delete for good?";
      // Not at once: the row may be leaving the page just now, which takes the focus away, too.
      button.addEventListener("blur", () => setTimeout(() => calm(run)), { once: true });
    }
  }
});
element.addEventListener("change", (event) => {
  const run = event.target.closest("[data-run]")?.dataset.run;
  if (run) gnet.train.lay(run, event.target.checked);
});
gnet.train.draw((changed) => {
  if (changed("rows", "ready", "run", "over")) rows();
  queue(state.queue);
  const after = find(".after");
  if (after.textContent !== state.after) after.textContent = state.after;
});
