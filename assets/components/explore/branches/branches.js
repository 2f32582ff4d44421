// The module chosen: a sentence, the scale, and one column for each of its four branches.
const find = (selector) => element.querySelector(selector);
const row = find(".row");
const { escape, percent, number, say } = gnet;
const columns = {};
let asking = null; // the timer before a module's fields are asked for
let lost = null; // key of an answer whose fields cannot be had: its picture is gone

function build() {
  row.innerHTML = gnet
    .branches()
    .map(
      (branch) => `
      <section class="card b${branch}" data-branch="${branch}" aria-label="branch ${branch}">
        <h3><span class="term" tabindex="0"></span><small></small><button type="button" class="switch" data-switch
          role="switch" aria-label="${gnet.label(branch)} on"></button></h3>
        <p class="brief"></p>
        <p class="sees"></p>
        <div class="both">
          <div class="mean">
            <div class="view">
              <canvas class="map" role="img"></canvas>
              <svg viewBox="0 0 1 1" aria-hidden="true"></svg>
            </div>
          </div>
          <div class="stats">
            <div class="stat" data-stat="share"></div>
            <div class="stat" data-stat="mean"></div>
            <div class="stat" data-stat="sparsity"></div>
            <p class="range"></p>
          </div>
        </div>
        <div class="tiles" role="group" aria-label="strongest channels"></div>
        <div class="below"><p class="note"><span></span> <span class="ends"></span></p><button type="button" class="all" data-all></button></div>
      </section>`,
    )
    .join("");
  for (const card of row.children) columns[card.dataset.branch] = card;
  find(".scope").innerHTML = gnet.SCOPES.map(
    (scope) => `<button type="button" data-scope="${scope}">${scope}</button>`,
  ).join("");
}

// The value a scale ends at; `kind` is "maps" (means of a branch) or "channels".
function limit(map, kind) {
  return gnet.state.scope === "channel" ? map.limit : scaled()[kind];
}

const module_ = (answer = gnet.state.answer) => answer.stages[gnet.state.stage];
// With branches switched, the scale stays that of the answer before, so the two can be compared.
const kept = () => Boolean(gnet.state.answer.switched) && !gnet.state.light;
function scaled() {
  const { answer, whole, scope } = gnet.state;
  const from = kept() ? whole : answer;
  return (scope === "module" ? module_(from) : from).limits;
}

function sentence() {
  const { answer, head, switches } = gnet.state;
  const told = find(".say");
  told.classList.toggle("dim", Boolean(switches) && !answer.switched && !gnet.state.light);
  if (answer.switched) return void (told.textContent = answer.switched.sentence);
  const words = module_().sentence;
  const first = gnet.branches().find((name) => words.includes(` ${gnet.label(name)} branch`));
  const card = `#branches [data-branch="${first}"]`;
  const places = [`${card} [data-stat=share]`, `${card} h3 small`, "#wiring .output"];
  told.innerHTML =
    `${gnet.spots(words, places)} ${gnet.spots(answer.heads[head].sentence, ["#belief .answer"])}`;
}

function scale() {
  const { answer, scope } = gnet.state;
  for (const button of find(".scope").children) {
    button.setAttribute("aria-pressed", String(button.dataset.scope === scope));
  }
  gnet.bar(find(".bar"), answer.signed);
  find(".from").textContent = answer.signed ? "−max … 0 … max" : "0";
  const words = scope === "channel" ? say("own scale") : scaled().words;
  const told = kept() && scope !== "channel" ? `${words.split(";")[0]}; ${say("scale kept")}` : words;
  find(".to").innerHTML = escape(told).replace("Large maps", (maps) => gnet.term(maps, say("large maps")));
}

function column(branch) {
  const card = columns[branch];
  const { network, answer, stage } = gnet.state;
  const m = module_();
  const numbers = m.branches[branch];
  const { heading, all, all_of: allOf } = network.modules[stage].branches[branch];
  const { label, does, brief } = network.branches.find((one) => one.name === branch);
  const title = card.querySelector("h3 span");
  [title.textContent, title.dataset.says] = [label, does];
  card.querySelector("h3 small").textContent = heading;
  card.querySelector(".brief").textContent = brief;
  toggle(branch);
  const means = Math.max(...Object.values(m.branches).map((b) => Math.abs(b.mean)));
  card.querySelector(".all").textContent = all;
  card.querySelector(".all").ariaLabel = allOf;
  stat(card, "share", say("share of activity"), percent(numbers.share), numbers.share);
  stat(card, "mean", gnet.term(say("mean per channel"), say("longest")), short(numbers.mean), means ? Math.abs(numbers.mean) / means : 0);
  const zero = numbers.sparsity;
  stat(card, "sparsity", say("cells at 0"), zero === null ? "–" : percent(zero), zero ?? 0);
  sees(branch);
  const tiles = card.querySelector(".tiles");
  if (tiles.children.length !== numbers.top.length) {
    tiles.innerHTML = numbers.top
      .map((_, i) => `<button type="button" tabindex="${i ? -1 : 0}" data-rank="${i}"><canvas></canvas></button>`)
      .join("");
  }
  numbers.top.forEach((top, i) => {
    const tile = tiles.children[i];
    tile.ariaLabel = say("tile", { name: name(branch, top), mean: number(top.mean) });
    gnet.paint(tile.firstChild, top, numbers.grid, limit(top, "channels"), answer.signed);
  });
  mean(branch);
}

function toggle(branch) {
  const setting = gnet.switching.of(gnet.state.stage, branch);
  const button = columns[branch].querySelector("[data-switch]");
  button.ariaChecked = String(setting !== "0");
  button.textContent = gnet.switching.word(setting);
}

const short = (x) => (Math.abs(x) >= 0.1 && Math.abs(x) < 100 ? gnet.fixed(x) : number(x));

// From the least to the largest value, with the same number of decimals.
function range({ low, high }) {
  const two = Math.max(-low, high) >= 0.1 && Math.max(-low, high) < 100;
  const write = (x) => (two ? gnet.fixed(x) : number(x));
  return `${write(low)}${low < 0 ? " to " : "–"}${write(high)}`;
}

function stat(card, key, name, value, part) {
  card.querySelector(`[data-stat=${key}]`).innerHTML =
    `<span>${name}</span><b>${value}</b><i><b style="width:${(100 * part).toFixed(1)}%"></b></i>`;
}

function name(branch, top) {
  const { offset } = module_().branches[branch];
  const { channel } = top;
  return say("channel", { stage: gnet.state.stage, branch: gnet.label(branch), channel, concat: offset + channel });
}

function sees(branch) {
  const { answer, measured, network, stage } = gnet.state;
  const parts = [network.modules[stage].branches[branch].sees];
  const side = measured[stage]?.[branch];
  const unknown = lost === answer.key ? "not measured" : "measuring";
  if (!network.left_out.includes(branch)) parts.push(say(side === undefined ? unknown : "felt", { side }));
  columns[branch].querySelector(".sees").textContent = parts.join(" ");
}

// The branch's mean map, with the window of its middle cell.
function mean(branch) {
  const { map, channels: count, strongest } = module_().branches[branch];
  show(branch, map, say("mean map", { stage: gnet.state.stage, branch: gnet.label(branch), count }));
  const card = columns[branch];
  note(card, strongest, gnet.state.scope === "channel" ? "" : scaled().tiles);
  card.querySelector(".view svg").innerHTML = gnet.fields.windows(branch);
}

function note(card, text, ends = "") {
  const [first, second] = card.querySelector(".note").children;
  [first.textContent, second.textContent] = [text, ends];
}

function show(branch, map, name, kind = "maps") {
  const { answer } = gnet.state;
  const { grid, field } = module_().branches[branch];
  const card = columns[branch];
  const canvas = card.querySelector(".map");
  gnet.overlay(canvas, map, grid, field, limit(map, kind), answer.signed);
  canvas.setAttribute("aria-label", say("map", { name, low: number(map.low), high: number(map.high) }));
  card.querySelector(".range").textContent = `map: ${range(map)}`;
}

function point(event) {
  const card = event.target.closest("[data-branch]");
  const tile = event.target.closest("[data-rank]");
  if (!tile) return;
  const { branch } = card.dataset;
  const top = module_().branches[branch].top[tile.dataset.rank];
  show(branch, top, name(branch, top), "channels");
  note(card, name(branch, top));
}

function leave(event) {
  const tile = event.target.closest("[data-rank]");
  if (tile) mean(tile.closest("[data-branch]").dataset.branch);
}

// Which tile's channel is open.
function opened() {
  for (const tile of row.querySelectorAll("[data-rank]")) {
    const { branch } = tile.closest("[data-branch]").dataset;
    const { channel } = module_().branches[branch].top[tile.dataset.rank];
    tile.setAttribute("aria-expanded", String(gnet.state.channel === `${branch}.${channel}`));
  }
  for (const [branch, card] of Object.entries(columns)) {
    const open = gnet.state.channel?.split(".")[0] === branch;
    card.querySelector(".all").setAttribute("aria-expanded", String(open));
  }
}

// Ask for the measured fields of a module that stays chosen for a moment.
function look() {
  clearTimeout(asking);
  const { answer, stage, measured } = gnet.state;
  if (!answer.key || measured[stage] || lost === answer.key) return;
  asking = setTimeout(() => trigger("looked", { stage, key: answer.key }), 250);
}

// The branch chosen in a drawing is marked; on a phone its card comes into view.
function pin() {
  const { pinned } = gnet.state;
  for (const [branch, card] of Object.entries(columns)) card.classList.toggle("pinned", branch === pinned);
  const card = columns[pinned];
  if (card && gnet.coarse) card.scrollIntoView({ block: "center" });
}

row.addEventListener("pointerover", point);
row.addEventListener("focusin", point);
row.addEventListener("pointerout", leave);
row.addEventListener("focusout", leave);
row.addEventListener("pointerover", (event) => {
  gnet.choose({ branch: event.target.closest("[data-branch]")?.dataset.branch ?? null });
});
row.addEventListener("click", (event) => {
  const { branch } = event.target.closest("[data-branch]")?.dataset ?? {};
  if (event.target.closest("[data-switch]")) {
    const { of, set } = gnet.switching;
    set(gnet.state.stage, branch, of(gnet.state.stage, branch) === "1" ? "0" : "1");
  }
  if (event.target.closest("[data-all]")) gnet.choose({ channel: gnet.state.channel === branch ? null : branch });
  const tile = event.target.closest("[data-rank]");
  if (!tile) return;
  const { channel } = module_().branches[branch].top[tile.dataset.rank];
  const name = `${branch}.${channel}`;
  gnet.choose({ channel: gnet.state.channel === name ? null : name });
});

// A cell pointed at shows its windows in the four branches together; a finger's stays.
for (const kind of ["pointermove", "pointerdown"]) {
  row.addEventListener(kind, (event) => {
    const view = event.target.closest(".view");
    if (!view) return;
    const { branch } = view.closest("[data-branch]").dataset;
    gnet.fields.point(branch, view.getBoundingClientRect(), event.clientX, event.clientY);
  });
}
row.addEventListener("pointerout", (event) => {
  if (event.pointerType !== "touch" && event.target.closest(".view")) gnet.fields.look(null);
});
row.addEventListener("pointerleave", () => gnet.choose({ branch: null }));
row.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const tile = event.target.closest("[data-rank]");
  if (!step || !tile) return;
  const other = step > 0 ? tile.nextElementSibling : tile.previousElementSibling;
  if (!other) return;
  tile.tabIndex = -1;
  other.tabIndex = 0;
  other.focus();
  event.preventDefault();
});
find(".scope").addEventListener("click", (event) => {
  const { scope } = event.target.dataset;
  if (scope) gnet.choose({ scope });
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what !== "measured" || answered) return;
  lost = gnet.state.answer.key;
  gnet.branches().forEach(sees);
});
watch("value", () => {
  const { key, stage, sides } = props.value;
  if (key !== gnet.state.answer.key || gnet.state.light) return;
  gnet.state.measured[stage] = { ...sides };
  gnet.tell(["measured"]);
});
gnet.draw((changed) => {
  if (!row.firstChild) build();
  const { answer, stage } = gnet.state;
  if (answer.frame && answer.stage !== stage) return; // until the new module has its maps
  if (changed.has("switches")) gnet.branches().forEach(toggle);
  if (["answer", "stage", "scope"].some((what) => changed.has(what))) {
    scale();
    gnet.branches().forEach(column);
    look();
  } else if (changed.has("measured") || changed.has("cell")) {
    for (const branch of gnet.branches()) {
      if (changed.has("measured")) sees(branch);
      columns[branch].querySelector(".view svg").innerHTML = gnet.fields.windows(branch);
    }
  }
  if (changed.has("pinned")) pin();
  if (["answer", "stage", "channel"].some((what) => changed.has(what))) opened();
  if (["answer", "stage", "head", "switches"].some((what) => changed.has(what))) sentence();
}, ["explore"], true);
