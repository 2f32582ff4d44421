// Belief from module to module: the best guess of each of the nine probes, the heads beside them, and
// one class followed through all.
const find = (selector) => element.querySelector(selector);
const name = (index) => gnet.state.network.classes[index];
const stages = () => Object.keys(gnet.state.network.widths);
const PROBE = "probe";
let chosen = PROBE; // the reader in the detail: the probe, or the head of that module
let focused = null;

// The readers of a stage that believe something: [[name, what it believes, its status, its top-1]].
function readers(stage) {
  const { answer, network } = gnet.state;
  const read = answer.depth?.stages[stage];
  const list = read ? [[PROBE, read, network.probes.status, network.probes.top1[stage]]] : [];
  for (const head of network.heads) {
    const held = answer.heads[head.name];
    if (head.exit === stage && held?.top) list.push([head.name, held, held.status, head.top1]);
  }
  return list;
}

function story() {
  const { answer, network } = gnet.state;
  const { depth } = answer;
  find("h2").textContent = depth ? "Belief at nine depths" : "Belief at the heads’ depths";
  const heads = gnet.trained().reverse().map((head) => `<i class="dot ${head}"></i>${head}`);
  find(".legend").innerHTML =
    (depth ? `<span><i class="dot"></i>${gnet.escape(network.probes.status)}</span>` : "") +
    (heads.length ? `<span>${heads.join(" ")}: trained with the net</span>` : "");
  find(".course").innerHTML = depth ? words(depth) : `Probes exist only for the bundled network; only ${heads_()} shown.`;
}

const heads_ = () => (gnet.state.network.heads.length === 3 ? "the three heads are" : "its head is");

function words({ answer, first, settled, stages: read }) {
  const [deepest] = gnet.trained();
  const thing = `<b>${gnet.escape(name(answer))}</b>`;
  const what = deepest && gnet.doubtful(deepest) ? `The nearest class, ${thing},` : `The answer, ${thing},`;
  const last = Object.keys(read).at(-1);
  if (first && settled === first) {
    if (first === last) return `${what} is the best guess at ${last} alone, the last module.`;
    if (first === stages()[0]) return `${what} is the best guess of every probe from ${first} on.`;
    return `${what} becomes the best guess at ${first} and stays so to the end.`;
  }
  const agrees = Object.values(read).map(({ top }) => top[0] === answer);
  const spells = agrees.filter((yes, i) => yes && !agrees[i - 1]).length;
  if (settled && spells > 2) return `${what} becomes the best guess at ${first}, comes and goes, and is there ${settled === last ? `again at ${last}` : `from ${settled} on`}.`;
  const then = settled === last ? `is back only at ${last}` : `has settled from ${settled} on`;
  if (settled) return `${what} becomes the best guess at ${first}, is lost again, and ${then}.`;
  const other = `the probe at ${last} says ${gnet.escape(name(read[last].top[0]))}`;
  if (first) return `${what} becomes the best guess at ${first} but does not settle: ${other}.`;
  return `${what} is no probe’s best guess: ${other}.`;
}

function columns() {
  const { network } = gnet.state;
  const target = gnet.target();
  const all = stages().map(readers);
  const most = Math.max(0.01, ...all.flat().map(([, held]) => held.probabilities[target] ?? 0));
  const place = (held) => 100 * (held.probabilities[target] / most);
  const points = [];
  const parts = stages().map((stage, at) => {
    const here = all[at];
    const [first] = here;
    if (first?.[0] === PROBE) points.push(`${100 * at + 50},${(100 - place(first[1])).toFixed(1)}`);
    const dots = here.map(
      ([who, held]) => `<i class="dot ${who}" style="bottom:${place(held).toFixed(1)}%"></i>`,
    );
    const guess = first ? first[1].top[0] : null;
    const said = here.map(([who, held, status, top1]) => {
      const known = top1 ? `, right in ${gnet.percent(top1)} of the validation pictures` : "";
      return `${who}: ${name(held.top[0])} ${gnet.percent(held.probabilities[held.top[0]])} (${status}${known})`;
    });
    const label = `${stage}: ${said.join("; ") || "no head or probe reads this module"}`;
    return (
      `<button type="button" data-depth="${stage}" tabindex="-1" aria-label="${gnet.escape(label)}"` +
      ` title="${gnet.escape(label)}"><b>${stage}</b>` +
      `<span class="guess ${guess === target ? "same" : ""}">${first ? gnet.escape(name(guess)) : "–"}</span>` +
      `<em>${first ? gnet.percent(first[1].probabilities[guess]) : "&nbsp;"}</em>` +
      `<span class="plot">${dots.join("")}</span>` +
      `<small>${first?.[3] ? gnet.percent(first[3]) : "&nbsp;"}</small></button>`
    );
  });
  find(".columns").innerHTML = parts.join("");
  find(".lines").innerHTML = points.length ? `<polyline points="${points.join(" ")}"/>` : "";
  const note = target === null ? "" : `${gnet.escape(name(target))}: 0 to ${gnet.percent(most)}`;
  const measured = all.some(([first]) => first?.[3]);
  const who = gnet.state.answer.depth ? "the probe" : "the head";
  find(".columns").insertAdjacentHTML(
    "beforeend",
    `<span class="range">${note}</span>` +
      `<span class="measured">${measured ? `last row: ${who}’s accuracy on validation pictures` : ""}</span>`,
  );
  if (!Object.hasOwn(network.widths, focused)) focused = null;
}

function detail() {
  const { stage } = gnet.state;
  for (const button of find(".columns").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.depth === stage));
    button.tabIndex = button.dataset.depth === (focused ?? stage) ? 0 : -1;
  }
  const here = readers(stage);
  const shown = here.find(([who]) => who === chosen) ?? here[0];
  find(".readers").innerHTML = here
    .map(
      ([who]) =>
        `<button type="button" data-reader="${who}" aria-pressed="${who === shown[0]}">` +
        `${who} ${who === PROBE ? `at ${stage}` : ""}</button>`,
    )
    .join("");
  find(".bars").className = `bars ${shown?.[0] ?? ""}`;
  if (!shown) {
    find(".status").textContent = `Neither a head nor a probe reads ${stage} in this network.`;
    find(".bars").innerHTML = "";
    return;
  }
  const [, held, status, top1] = shown;
  const right = top1 ? ` · right in ${gnet.percent(top1)}` : "";
  find(".status").textContent = `${status}${right} · entropy ${held.entropy.toFixed(2)} nats`;
  const target = gnet.target();
  find(".bars").innerHTML = held.top
    .map((c) => {
      const p = held.probabilities[c];
      return (
        `<button type="button" data-class="${c}" aria-pressed="${c === target}">` +
        `<span title="${gnet.escape(name(c))}">${gnet.escape(name(c))}</span>` +
        `<i><b style="width:${(100 * p).toFixed(1)}%"></b></i><em>${gnet.percent(p)}</em></button>`
      );
    })
    .join("");
}

element.addEventListener("click", (event) => {
  const { depth, reader, class: target } = event.target.closest("button")?.dataset ?? {};
  if (depth) {
    focused = depth;
    gnet.choose({ stage: depth, branch: null });
    detail();
  }
  if (reader) {
    chosen = reader;
    detail();
    find(`[data-reader="${reader}"]`).focus();
  }
  if (target) gnet.choose({ target: Number(target) });
});

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

gnet.draw((changed) => {
  const has = (...names) => names.some((what) => changed.has(what));
  if (!has("answer", "target", "head", "stage", "network")) return;
  const kept = element.contains(document.activeElement) ? { ...document.activeElement.dataset } : {};
  if (has("answer", "network")) story();
  if (has("stage")) focused = null;
  if (has("answer", "target", "head", "network")) columns();
  detail();
  if (kept.depth) find(`[data-depth="${kept.depth}"]`)?.focus();
  if (kept.class) find(`.bars [data-class="${kept.class}"]`)?.focus();
});
