// Loss and accuracy of three heads, what the loss is made of, and where gradients come from.
const { state, HEADS, shown, overlays } = gnet.train;
const { number } = gnet;
const card = (name) => element.querySelector(`[data-plot="${name}"]`);
const chart = (name, options = {}) => gnet.chart(card(name).querySelector(".chart"), options);
const charts = {
  loss: chart("loss"),
  accuracy: chart("accuracy", { top: 1, unit: (v) => `${Math.round(100 * v)}` }),
  parts: chart("parts"),
};
const bars = gnet.bars(card("gradients").querySelector(".chart"));

// The keys: one button for each head; pressing it takes the head off the plots.
for (const name of ["loss", "accuracy", "parts"]) {
  card(name).querySelector(".key").innerHTML = HEADS.map(
    (head) => `<button type="button" data-head="${head}" class="${head}" aria-pressed="true" title="Show or hide ${head}"><i></i><span>${head}</span><b></b></button>`,
  ).join("");
}
element.addEventListener("click", (event) => {
  const { head } = event.target.closest(".key button")?.dataset ?? {};
  if (!head) return;
  const heads = new Set(state.heads);
  if (!heads.delete(head)) heads.add(head);
  if (heads.size) gnet.train.choose({ heads });
});

function read(name, values) {
  for (const button of card(name).querySelectorAll(".key button")) {
    const { head } = button.dataset;
    const text = values[head] ?? "";
    const part = button.lastElementChild;
    if (part.textContent !== text) part.textContent = text;
    button.ariaPressed = String(state.heads.has(head));
  }
}

// The values of `column` at x, or the last ones.
function valuesAt(track, column, write) {
  return (x) => {
    const list = {};
    for (const head of HEADS) {
      const ys = track.heads[head][column];
      const at = x === null ? ys.length - 1 : Math.min(ys.length - 1, charts.loss.place(track.x, x));
      if (ys.length) list[head] = write(ys[at]);
    }
    return list;
  };
}

const three = (x) => (x >= 0.1 && x < 100 ? x.toPrecision(3) : number(x));
const DASHES = ["", "dash-1", "dash-2", "dash-3"];
// What the epochs came to on the validation pictures: `name` is val_loss or val_accuracy.
const dotsOf = (track, head, name) => {
  const judged = track.judged.filter((event) => head in event[name]);
  return { xs: judged.map((event) => gnet.train.at(track, event.step)), ys: judged.map((event) => event[name][head] ?? NaN) };
};
const dots = (name) =>
  [shown(), ...overlays()].flatMap((one, i) =>
    [...HEADS].reverse().filter((head) => state.heads.has(head)).map((head) => ({ kind: "dots", hue: head, style: i ? "hollow" : "", ...dotsOf(one, head, name) })),
  );

function lines(column, faint) {
  const layers = [];
  const tracks = [shown(), ...overlays()];
  // The deepest head is drawn last, above the others.
  for (const head of [...HEADS].reverse().filter((head) => state.heads.has(head))) {
    tracks.forEach((track, i) => {
      const kept = track.heads[head];
      const xs = kept.loss.length === track.x.length ? track.x : track.x.slice(track.x.length - kept.loss.length);
      if (!i && faint) layers.push({ kind: "line", hue: head, style: "faint", xs, ys: kept[faint] });
      layers.push({ kind: "line", hue: head, style: DASHES[Math.min(i, 3)], xs, ys: kept[column] });
    });
  }
  return layers;
}

const whole = () => [0, Math.max(...[shown(), ...overlays()].map((track) => track.epochs))];
const words = (title, values) =>
  `${title}: ${Object.entries(values).map(([head, text]) => `${head} ${text}`).join(", ") || "nothing yet"}`;

function curves() {
  const track = shown();
  const shared = { whole: whole(), marks: track.marks };
  const losses = valuesAt(track, "calm", three);
  charts.loss.draw({
    ...shared, layers: [...lines("calm", "loss"), ...dots("val_loss")], read: (x) => read("loss", losses(x)), words: words("Loss", losses(null)),
  });
  const right = valuesAt(track, "tide", (p) => `${(100 * p).toFixed(0)}\u00a0%`);
  charts.accuracy.draw({
    ...shared, layers: [...lines("tide"), ...dots("val_accuracy")], read: (x) => read("accuracy", right(x)), words: words("Accuracy", right(null)),
  });
}

// Stacked from the main head up, so that the upper edge is the loss itself, averaged over steps.
function parts() {
  const track = shown();
  const { aux1, aux2 } = track.weights;
  const title = ["main", aux2 && `${number(aux2)} · aux2`, aux1 && `${number(aux1)} · aux1`].filter(Boolean).join(" + ");
  card("parts").querySelector("h2").textContent = aux1 || aux2 ? title : "The loss is that of main alone";
  let low = null;
  const layers = [];
  for (const head of HEADS) {
    const part = track.heads[head].part;
    if (!part.length || !part.some((v) => v > 0)) continue;
    const gone = part.findIndex((value) => !Number.isFinite(value)); // the loss has left the numbers
    const end = Math.min(gone < 0 ? part.length : gone, low?.length ?? part.length);
    const ys = part.slice(0, end).map((value, i) => (low ? low[i] + value : value));
    layers.push({ kind: "area", hue: head, xs: track.x.slice(0, end), ys, low: low?.slice(0, end) ?? null });
    low = ys;
  }
  const values = valuesAt(track, "part", three);
  charts.parts.draw({
    whole: [0, track.epochs], marks: track.marks, layers, read: (x) => read("parts", values(x)), words: words("Parts of the loss", values(null)),
  });
}

function gradients(again) {
  bars.draw(shown().gradients.at(-1), shown().run.config.gradients_every, again);
}

const empty = { whole: [0, 5], marks: [], layers: [], words: "Nothing yet" };
gnet.train.draw((changed) => {
  if (!changed("events", "track", "over", "heads", "zoom", "run")) return;
  if (!shown()?.run) {
    for (const one of Object.values(charts)) one.draw(empty);
    card("parts").querySelector("h2").textContent = "What the loss is made of";
    bars.draw(null, 1);
    for (const name of ["loss", "accuracy", "parts"]) read(name, {});
    return;
  }
  if (changed("events", "over", "heads", "zoom", "run")) {
    curves();
    parts();
  }
  if (changed("events", "run", "heads")) gradients(changed("run", "heads"));
});
