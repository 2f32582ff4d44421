// Loss and accuracy of three heads, what the loss is made of, and where gradients come from.
const { state, HEADS, shown, tracks } = gnet.train;
const { number, escape } = gnet;
const { LOOKS, look, sample } = gnet.chart;
const { trainedFrom } = gnet.tracks;
const card = (name) => element.querySelector(`[data-plot="${name}"]`);
const chart = (name, options = {}) =>
  gnet.chart(card(name).querySelector(".chart"), { ...gnet.train.zooming, ...options });
const charts = {
  loss: chart("loss"),
  accuracy: chart("accuracy", { top: 1, unit: (v) => `${Math.round(100 * v)}` }),
  parts: chart("parts"),
};
const bars = gnet.bars(card("gradients").querySelector(".chart"));

// The keys: one button for each head; pressing it takes the head off the plots.
for (const name of ["loss", "accuracy", "parts"]) {
  card(name).querySelector(".key").innerHTML = HEADS.map(
    (head) => `<button type="button" data-head="${head}" class="${head}" aria-pressed="true" title="${gnet.say("show", { head })}"><i></i><span>${head}</span><b></b></button>`,
  ).join("");
}
element.addEventListener("click", (event) => {
  const { head } = event.target.closest(".key button")?.dataset ?? {};
  if (!head) return;
  const heads = new Set(state.heads);
  if (!heads.delete(head)) heads.add(head);
  if (heads.size) gnet.train.choose({ heads });
});

// The key of a head in the run shown: a number, "untrained", or no key where there is no such head.
function read(name, values) {
  const track = shown();
  for (const button of card(name).querySelectorAll(".key button")) {
    const { head } = button.dataset;
    const idle = Boolean(track?.run) && !(name === "parts" ? learnt(head) : drawn(head).length);
    const text = idle ? "untrained" : values[head] ?? "";
    const part = button.lastElementChild;
    if (part.textContent !== text) part.textContent = text;
    button.ariaPressed = String(state.heads.has(head));
    button.hidden = idle && !(name === "parts" ? [{ track }] : laid()).some(({ track: one }) => one.has.includes(head));
    button.disabled = idle;
    button.title = gnet.say(idle ? "untrained" : "show", { head });
  }
}

// The values of `column` at x, or the last ones; an untrained head has none.
function valuesAt(track, column, write) {
  return (x) => {
    const list = {};
    for (const head of HEADS) {
      const ys = track.heads[head][column];
      const at = x === null ? ys.length - 1 : Math.min(ys.length - 1, charts.loss.place(track.x, x));
      if (!ys.length) continue;
      if (track.x[at] < trainedFrom(track, head)) list[head] = "untrained";
      else list[head] = Number.isFinite(ys[at]) ? write(ys[at]) : "NaN";
    }
    return list;
  };
}

// The runs on the plots with how each looks, and those of them in which a head is trained.
const laid = () =>
  gnet.tracks.laid(state).map((id, i) => ({ track: tracks.get(id), i })).filter(({ track }) => track?.run);
const learnt = (head) => trainedFrom(shown(), head) !== Infinity;
const drawn = (head) => laid().filter(({ track }) => trainedFrom(track, head) !== Infinity);
// The deepest head is drawn last, above the others.
const heads = () => [...HEADS].reverse().filter((head) => state.heads.has(head));
// From where on a column is drawn.
const since = (xs, from) => (from > 0 ? charts.loss.place(xs, from) : 0);

const three = (x) => (x >= 0.1 && x < 100 ? x.toPrecision(3) : number(x));
// The epochs’ results on the validation pictures: `name` is val_loss or val_accuracy.
function dots(name) {
  return heads().flatMap((head) => drawn(head).map(({ track, i }) => {
    const validated = track.validated.filter((event) => head in event[name] && gnet.train.at(track, event.step) > trainedFrom(track, head));
    return {
      kind: "dots", hue: head, style: look(i), look: i, what: gnet.say("in validation", { head }),
      xs: validated.map((event) => gnet.train.at(track, event.step)), ys: validated.map((event) => event[name][head] ?? NaN),
    };
  }));
}

function lines(column, faint) {
  return heads().flatMap((head) => drawn(head).flatMap(({ track, i }) => {
    const kept = track.heads[head];
    if (kept.loss.length !== track.x.length) return [];
    const first = since(track.x, trainedFrom(track, head));
    const [xs, ys] = first ? [track.x.slice(first), kept[column].slice(first)] : [track.x, kept[column]];
    const line = { kind: "line", hue: head, style: look(i), look: i, xs, ys };
    if (i || !faint) return [line];
    return [{ ...line, style: "faint", ys: first ? kept[faint].slice(first) : kept[faint] }, line];
  }));
}

const whole = () => [0, Math.max(...laid().map(({ track }) => track.epochs))];
const words = (title, values) =>
  gnet.say("plot", { title, values: Object.entries(values).map(([head, text]) => `${head} ${text}`).join(", ") || "nothing yet" });

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

// What is added up; the card's title stays.
function formula(sum) {
  const [what, more] = card("parts").querySelector(".look").children;
  const words = gnet.say(sum === "main alone" ? "one part" : "many parts");
  if (what.textContent !== sum) [what.textContent, more.textContent] = [sum, words];
}

// Stacked from the main head up, so that the upper edge is the loss itself, averaged over steps.
function parts() {
  const track = shown();
  const { aux1, aux2 } = track.weights;
  const title = ["main", aux2 && `${number(aux2)} · aux2`, aux1 && `${number(aux1)} · aux1`].filter(Boolean).join(" + ");
  formula(aux1 || aux2 ? title : "main alone");
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
    whole: [0, track.epochs], marks: track.marks, layers, read: (x) => read("parts", values(x)), words: words(gnet.say("parts of loss"), values(null)),
  });
}

function gradients(again) {
  bars.draw(shown().gradients.at(-1), shown().run.config.gradients_every, again);
}

// Which line is which run's; more runs than there are looks are drawn alike, and it is said.
function key() {
  const all = laid();
  const named = all.slice(0, LOOKS).map(({ track, i }) => `<span title="${escape(track.run.name)}">${sample(i)}${escape(gnet.cut(track.run.name, 24))}</span>`);
  const more = all.length - LOOKS;
  if (more > 0) named.push(`<span>${sample(LOOKS)}${gnet.say(more > 1 ? "runs more" : "run more", { more, looks: LOOKS })}</span>`);
  const html = all.length > 1 ? named.join("") : "";
  const part = element.querySelector(".laid");
  if (part.dataset.html !== html) part.innerHTML = part.dataset.html = html;
}

const empty = { whole: [0, 5], marks: [], layers: [], words: gnet.say("nothing yet") };
// Before its first step a run has nothing to draw: the plots are pale, and say so.
function waits(track) {
  const box = element.querySelector(".plots");
  box.classList.toggle("waits", Boolean(track?.run) && !track.last && gnet.train.EVER.includes(track.run.state));
}

gnet.train.draw((changed) => {
  if (!changed("events", "track", "over", "heads", "zoom", "run")) return;
  waits(shown());
  if (!shown()?.run) {
    for (const one of Object.values(charts)) one.draw(empty);
    formula("main + aux2 + aux1");
    bars.draw(null, 1);
    for (const name of ["loss", "accuracy", "parts"]) read(name, {});
    key();
    return;
  }
  key();
  if (changed("events", "over", "heads", "zoom", "run")) {
    curves();
    parts();
  }
  if (changed("events", "run", "heads")) gradients(changed("run", "heads"));
});
