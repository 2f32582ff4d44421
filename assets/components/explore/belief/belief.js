// Belief from depth to depth: one class followed through nine probes and the heads beside them, and
// the first classes of one reader: a head, or the probe at the chosen module.
const find = (selector) => element.querySelector(selector);
const name = (index) => gnet.state.network.classes[index];
const stages = () => Object.keys(gnet.state.network.widths);
const ORDER = ["aux1", "aux2", "main"];
const PROBE = "probe";
let probing = false; // the reader is the probe at the chosen module
let focused = null;

const readings = (answer = gnet.state.answer) => answer.depth?.stages ?? {};
const exit = (head) => gnet.state.network.heads.find((known) => known.name === head);
const heads = () => ORDER.filter((head) => gnet.state.answer.heads[head]);
const trained = () => heads().filter((head) => gnet.believed(head));
const switched = () => Boolean(gnet.state.answer.switched);

// What a reader believed with every branch on; nothing while none is switched.
function before(who, stage = gnet.state.stage) {
  if (!switched()) return undefined;
  const { whole } = gnet.state;
  return who === PROBE ? readings(whole)[stage] : whole.heads[who];
}
const percent = (held, target) => gnet.percent(held.probabilities[target] ?? 0);
const was = (old, target) => gnet.say("was", { percent: percent(old, target) });

// The heads that believe something at a stage, after its probe: [[name, what it believes], …].
function readers(stage, answer = gnet.state.answer) {
  const read = readings(answer)[stage];
  const here = trained().filter((head) => exit(head).exit === stage);
  return [...(read ? [[PROBE, read]] : []), ...here.map((h) => [h, answer.heads[h]])];
}

function story() {
  const target = gnet.target();
  find(".followed").textContent = target === null ? "a class" : name(target);
  find(".followed").title = target === null ? "" : name(target);
  const { classes, others } = gnet.state.answer.depth?.story ?? { classes: {}, others: "" };
  const words = classes[target] ?? others.replaceAll("{class}", target === null ? "" : name(target));
  find(".story").innerHTML = gnet.marked(words);
}

// A class's way through the depths: by its probes, or without any from head to head.
function line(target, kind, answer = gnet.state.answer) {
  const all = stages().map((stage) => readers(stage, answer));
  const points = all.flatMap((here, at) => {
    const held = Object.keys(readings()).length ? here.find(([who]) => who === PROBE) : here.at(-1);
    return held ? [`${100 * at + 50},${(100 - 100 * held[1].probabilities[target]).toFixed(1)}`] : [];
  });
  return points.length > 1
    ? `<polyline class="${kind}" data-line="${target}" points="${points.join(" ")}"/>`
    : "";
}

function columns() {
  const target = gnet.target();
  const place = (held) => (100 * (held.probabilities[target] ?? 0)).toFixed(1);
  find(".columns").innerHTML = stages()
    .map((stage) => {
      const here = readers(stage);
      const dot = (who, held, kind = "") => `<i class="dot ${who}${kind}" style="bottom:${place(held)}%"></i>`;
      const old = here.map(([who]) => before(who, stage));
      const dots = here.map(([who, held], i) => (old[i] ? dot(who, old[i], " was") : "") + dot(who, held));
      const moved = here.map(([, held], i) => (old[i] && target !== null ? `${name(target)}: ${percent(held, target)}, ${was(old[i], target)}.` : ""));
      const words = here.map(([, held], i) => `${held.sentence} ${moved[i]}`.trim()).join(" ") || stage;
      return (
        `<button type="button" data-depth="${stage}" tabindex="-1" aria-label="${gnet.escape(`${stage}. ${words}`)}"` +
        ` title="${gnet.escape(words)}"><span class="plot">${dots.join("")}</span>${stage}</button>`
      );
    })
    .join("");
  const rest = (shown()?.[1].top ?? []).filter((c) => c !== target);
  find(".lines").innerHTML =
    target === null
      ? ""
      : rest.map((c) => line(c, "other")).join("") +
        (switched() ? line(target, "was", gnet.state.whole) : "") +
        line(target, "first");
}

// The reader whose first classes are shown: [name, what it believes].
function shown() {
  const { stage, head, answer } = gnet.state;
  if (probing && readings()[stage]) return [PROBE, readings()[stage]];
  return answer.heads[head]?.top ? [head, answer.heads[head]] : undefined;
}

function tabs() {
  const { answer, stage } = gnet.state;
  const now = shown()?.[0];
  const button = (who, label, small, words, off) =>
    `<button type="button" data-reader="${who}" aria-pressed="${who === now}" title="${words}"` +
    `${off ? " disabled" : ""}>${label}<small>${small}</small></button>`;
  const parts = heads().map((head) => {
    const { status, top } = answer.heads[head];
    const small = gnet.doubtful(head) ? "not sure" : status.split(" with ")[0]; // a column has room for one word
    return button(head, head, small, `${status}. ${exit(head).right ?? ""}`, !top);
  });
  const { probes } = gnet.state.network;
  if (readings()[stage]) {
    parts.push(button(PROBE, PROBE, `at ${stage}`, `${probes.status}. ${probes.right?.[stage] ?? ""}`));
  }
  find(".readers").innerHTML = parts.join("");
}

function detail() {
  const { network, stage, head, answer } = gnet.state;
  for (const button of find(".columns").children) {
    button.ariaPressed = String(button.dataset.depth === stage);
    button.tabIndex = button.dataset.depth === (focused ?? stage) ? 0 : -1;
  }
  tabs();
  const box = find(".bars");
  if (!shown()) {
    find(".answer").textContent = answer.heads[head].sentence;
    find(".status").textContent = "";
    box.innerHTML = "";
    return;
  }
  const [who, held] = shown();
  const doubt = held.sure === false;
  const probe = who === PROBE;
  find(".answer").innerHTML = doubt
    ? `<span>${gnet.marked(held.answer, { "not sure": held.doubt })}</span>`
    : `<span>${gnet.escape(held.answer ?? held.sentence)}</span>`;
  const right = probe ? network.probes.right?.[stage] : exit(who).right;
  const old = before(who);
  const said = old ? gnet.say("bars before") : gnet.marked(right || held.status);
  find(".status").innerHTML = `${said} ${gnet.marked(gnet.say("entropy", { nats: held.entropy.toFixed(2) }))}`;
  find(".status").title = probe ? network.probes.status : held.status;
  box.className = `bars ${who}${doubt ? " nearest" : ""}`;
  box.ariaLabel = gnet.say(doubt ? "nearest classes" : "likely classes");
  const target = gnet.target();
  box.innerHTML = held.top
    .map((c) => {
      const p = held.probabilities[c];
      const mark = old ? `<u style="left:${(100 * (old.probabilities[c] ?? 0)).toFixed(1)}%"></u>` : "";
      const words = old ? `<span class="unseen">, ${was(old, c)}</span>` : "";
      return (
        `<button type="button" data-class="${c}" aria-pressed="${c === target}">` +
        `<span title="${gnet.escape(name(c))}">${gnet.escape(name(c))}</span>` +
        `<i><b style="width:${(100 * p).toFixed(1)}%"></b>${mark}</i><em>${gnet.percent(p)}${words}</em></button>`
      );
    })
    .join("");
}

element.addEventListener("click", (event) => {
  const { depth, reader, class: target } = event.target.closest("button")?.dataset ?? {};
  if (depth) {
    focused = depth;
    probing = Boolean(readings()[depth]);
    gnet.choose({ stage: depth, branch: null });
    draw(["stage", "head"]);
  }
  if (reader) {
    probing = reader === PROBE;
    if (!probing) gnet.choose({ head: reader });
    draw(["head"]);
  }
  if (target) gnet.ask(Number(target));
});

// The line of the class that is pointed at.
function point(event) {
  const over = event.type === "pointerout" ? null : event.target.closest?.("[data-class]")?.dataset.class;
  for (const one of find(".lines").children) one.classList.toggle("pointed", one.dataset.line === over);
}
for (const kind of ["pointerover", "pointerout", "focusin"]) find(".bars").addEventListener(kind, point);

// The arrow keys walk along the depths.
element.addEventListener("keydown", (event) => {
  const at = stages().indexOf(event.target.dataset.depth);
  if (at < 0) return;
  const last = stages().length - 1;
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  focused = stages()[Math.min(last, Math.max(0, to))];
  detail();
  find(`[data-depth="${focused}"]`).focus();
});

function draw(names) {
  const kept = element.contains(document.activeElement) ? { ...document.activeElement.dataset } : {};
  const has = (...wanted) => wanted.some((what) => names.includes(what));
  if (has("head", "answer")) story();
  if (has("answer", "target", "head", "network", "stage")) columns();
  detail();
  for (const [key, value] of Object.entries(kept)) find(`[data-${key}="${value}"]`)?.focus();
}

gnet.draw((changed) => {
  const names = [...changed];
  if (!["answer", "target", "head", "stage", "network"].some((what) => changed.has(what))) return;
  if (changed.has("stage") && focused !== gnet.state.stage) focused = null;
  if (changed.has("head") && !changed.has("answer")) probing = false;
  if (changed.has("target")) names.push("head");
  draw(names);
}, ["explore"], true);
