// The network: stem, nine modules of four lanes, two exits and the classifier, drawn in the page's own
// px: in one row, or on a narrow screen in two. One tab stop; the arrow keys go along the modules and
// down to the exits, Enter or Space chooses.
const wide = element.querySelector(".wide");
const [NARROW, STEM, GAP, EXIT, TAG] = [520, 34, 20, 42, 20];
const SHARES = [0, 0.25, 0.5, 0.75, 1];
const strength = (share) => (0.07 + 0.93 * share).toFixed(3); // of a lane's colour, on the printed scale
const branches = () => gnet.branches();
gnet.spell(element);
let focused = null;
let drawn = 0; // the width it was drawn for

// Where everything stands: {width, rows: [{y, middle, tall}], step, places: stage → {x, row}}.
function layout() {
  const [width, height] = [wide.clientWidth, wide.clientHeight];
  const stages = Object.keys(gnet.state.network.widths);
  const count = width < NARROW ? 2 : 1;
  const each = height / count;
  const rows = [...Array(count).keys()].map((i) => {
    const y = i * each;
    const tall = each - EXIT;
    return { y, tall, middle: y + TAG + 4 + (tall - TAG - 8) / 2, exits: y + each - EXIT / 2 };
  });
  const inRow = count === 1 ? 9 : 5;
  const last = Math.min(150, Math.max(50, 0.14 * width)); // room for main and its answer
  const step = (width - (count === 1 ? STEM + 2 * GAP + last : STEM + GAP + 12)) / inRow;
  const places = {};
  let [x, row] = [STEM, 0];
  stages.forEach((stage, i) => {
    if (count === 2 && i === 5) [x, row] = [14, 1];
    if (stage === "4a" || stage === "5a") x += GAP;
    places[stage] = { x, row };
    x += step;
  });
  return { width, rows, step, places, end: { x: (x + width) / 2, row, room: width - x - 2 } };
}

function build() {
  const { network, answer } = gnet.state;
  const plan = layout();
  if (plan.width < 80) return; // hidden
  drawn = plan.width;
  const parts = [line(plan)];
  const { middle } = plan.rows[0];
  parts.push(
    `<rect class="part" x="1" y="${middle - 22}" width="${STEM - 8}" height="44" rx="5"/>` +
      `<text class="term" tabindex="0" data-term="stem" x="0" y="${middle + 40}">stem</text>`,
  );
  for (const stage of ["4a", "5a"]) {
    const { x, row } = plan.places[stage];
    const y = plan.rows[row].middle;
    parts.push(
      `<path class="part" d="M${x - GAP / 2 - 4} ${y - 18}l9 8v20l-9 8z"/>` +
        `<text class="term" tabindex="0" data-term="÷2" x="${x - GAP / 2}" y="${y + 34}" text-anchor="middle">÷2</text>`,
    );
  }
  for (const stage of Object.keys(plan.places)) parts.push(moduleAt(stage, plan));
  for (const head of network.heads) parts.push(exit(head, plan));
  parts.push(scale(plan));
  wide.innerHTML =
    `<svg role="toolbar" aria-label="GoogLeNet: modules and exits">${parts.join("")}</svg>`;
  refresh(answer, true);
}

// The pipe behind the modules; from the first row to the second it goes around.
function line({ rows, places, step, end }) {
  const [first, second] = rows;
  if (!second) return `<path class="pipe" d="M${STEM - 8} ${first.middle}H${end.x - 8}"/>`;
  const [right, turn] = [places["4c"].x + step + 8, second.y - 3];
  return (
    `<path class="pipe" d="M${STEM - 8} ${first.middle}H${right}V${turn}H4V${second.middle}H${end.x - 8}"/>`
  );
}

function moduleAt(stage, { rows, step, places }) {
  const widths = gnet.state.network.widths[stage];
  const { x, row } = places[stage];
  const { y: top, tall, middle } = rows[row];
  const room = tall - TAG - 14;
  const most = Math.max(...Object.values(gnet.state.network.widths).map((w) => w.reduce((a, b) => a + b)));
  const per = (room - 4 * 3 - 9) / most; // px for a channel
  const heights = widths.map((n) => 3 + n * per);
  const inset = Math.max(5, step * 0.11);
  let y = middle - (heights.reduce((a, b) => a + b) + 9) / 2;
  const lanes = branches().map((branch, i) => {
    const out = gnet.state.network.left_out.includes(branch) ? "out" : "";
    const lane = `<rect class="lane b${branch} ${out}" data-branch="${branch}" x="${(x + inset).toFixed(1)}"
      y="${y.toFixed(1)}" width="${(step - 2 * inset).toFixed(1)}" height="${heights[i].toFixed(1)}" rx="2"/>`;
    y += heights[i] + 3;
    return lane;
  });
  const frame = (name, by) =>
    `<rect class="${name}" x="${x + by}" y="${top + by}" width="${step - 2 * by}" height="${tall - 2 * by}" rx="7"/>`;
  return (
    `<g role="button" tabindex="-1" data-stage="${stage}"><title></title>${frame("frame", 1.5)}` +
    `<rect class="tag" x="${x + step / 2 - 16}" y="${top + 3}" width="32" height="${TAG}" rx="6"/>` +
    `<text class="name" x="${x + step / 2}" y="${top + TAG - 2}" text-anchor="middle">${stage}</text>` +
    `${lanes.join("")}${frame("ring", 1)}</g>`
  );
}

// The exits hang below their modules and speak towards the side where there is room.
function exit(head, { rows, step, places, end, width }) {
  if (head.name === "main") {
    const y = rows[end.row].middle;
    const box = (name, by) =>
      `<rect class="${name}" x="${end.x - end.room / 2 + by}" y="${y - 24 + by}" width="${end.room - 2 * by}" height="${80 - 2 * by}" rx="7"/>`;
    return (
      `<g role="button" tabindex="-1" class="main" data-head="main"><title></title>${box("frame", 0)}` +
      `<circle class="knob" cx="${end.x}" cy="${y}" r="7"/>` +
      `<text class="says" data-room="${end.room - 6}" x="${end.x}" y="${y + 32}" text-anchor="middle"></text>${box("ring", 1)}</g>`
    );
  }
  const at = places[head.exit];
  const [x, { y: top, tall, exits: y }] = [at.x + step / 2, rows[at.row]];
  const left = at.row === 0;
  const before = head.name === "aux2" && left ? places["4a"].x + step / 2 + 14 : 2;
  const room = (left ? x - before : width - x) - 22; // px for its words
  const frame = (name) =>
    `<rect class="${name}" data-frame x="${left ? x - room - 20 : x - 16}" y="${y - 20}" width="${room + 36}" height="40" rx="7"/>`;
  return (
    `<path class="dots" d="M${x} ${top + tall}V${y - 8}"/>` +
    `<g role="button" tabindex="-1" class="${head.name}" data-head="${head.name}"><title></title>${frame("frame")}` +
    `<circle class="knob" cx="${x}" cy="${y}" r="7"/>` +
    `<text class="says" data-room="${room}" x="${x + (left ? -14 : 14)}" y="${y + 4}"
      text-anchor="${left ? "end" : "start"}"></text>${frame("ring")}</g>`
  );
}

// The scale of the lanes' colours, printed where no exit speaks.
function scale({ rows, width }) {
  const y = rows[0].exits;
  const [far, wide] = rows.length > 1 ? [width - 12, 12] : [width, 15]; // beside the pipe that goes down
  const end = far - (width > 900 ? 54 : 44); // room for the words behind it
  const boxes = SHARES.map(
    (_, i) => `<rect class="swatch" x="${end - wide * (SHARES.length - i)}" y="${y - 6}" width="${wide}" height="11"/>`,
  );
  const wordy = width >= NARROW ? `<text class="what" y="${y + 4}" text-anchor="end"></text>` : "";
  return (
    `<g class="scale" role="img">${wordy}<text class="low" x="${end - wide * SHARES.length - 6}" y="${y + 4}" text-anchor="end"></text>` +
    `${boxes.join("")}<text class="high" x="${far}" y="${y + 4}" text-anchor="end"></text></g>`
  );
}

// What a lane's colour means: its value, the colour, the words, and the printed scale.
function fills() {
  const { state } = gnet;
  const found = state.lanes === "share" ? null : state[state.lanes];
  if (state.lanes === "share" || state.light) {
    return {
      value: (stage, branch, answer) => answer.stages[stage].branches[branch].share,
      dye: (part, share) => dye(part, null, strength(share)),
      words: gnet.percent,
      scale: [gnet.say("share of activity"), "0", "100\u00a0%"],
      at: SHARES,
    };
  }
  const now = found && found.key === state.whole.key && found.head === state.head && found.target === gnet.target();
  const limit = now ? found.limit : 0;
  const end = gnet.number(limit);
  const of = (value) => (state.lanes === "worth" ? value?.off?.logit : value);
  return {
    value: (stage, branch) => (now ? of(found.branches[`${stage}/${branch}`]) : null),
    dye: (part, value) => dye(part, value == null ? null : gnet.colour(value, limit, true), value == null ? 0.07 : 1),
    words: (value) => (value == null ? "–" : gnet.number(value)),
    scale: now ? ["logits", ...(drawn < NARROW ? ["", `±${end}`] : [`−${end}`, end])] : ["logits", "", ""],
    at: SHARES.map((share) => (2 * share - 1) * limit),
  };
}

function dye(part, colour, opacity) {
  part.style.fill = colour ?? "";
  part.setAttribute("fill-opacity", opacity);
}

function refresh(answer, said) {
  const { state } = gnet;
  const fill = fills();
  element.querySelector("section").dataset.fill = state.lanes;
  for (const button of element.querySelectorAll(".fills button")) {
    button.ariaPressed = String(button.dataset.lanes === state.lanes);
  }
  wide.querySelectorAll(".swatch").forEach((swatch, i) => fill.dye(swatch, fill.at[i]));
  const [what, low, high] = ["what", "low", "high"].map((name) => wide.querySelector(`.scale .${name}`));
  [what, low, high].forEach((text, i) => text && (text.textContent = fill.scale[i]));
  what?.setAttribute("x", low.getAttribute("x") - low.getComputedTextLength() - 10);
  wide.querySelector(".scale").ariaLabel = fill.scale.join(" ");
  for (const group of wide.querySelectorAll("[data-stage]")) {
    const { stage } = group.dataset;
    for (const lane of group.querySelectorAll(".lane")) {
      fill.dye(lane, fill.value(stage, lane.dataset.branch, answer));
      lane.classList.toggle("pinned", stage === state.stage && lane.dataset.branch === state.pinned);
      const kind = gnet.switching.kind(gnet.switching.of(stage, lane.dataset.branch));
      for (const name of ["off", "part"]) lane.classList.toggle(name, kind === name);
    }
    const behind = !gnet.reaches(stage);
    const words = branches().map((b) => `${gnet.label(b)} ${fill.words(fill.value(stage, b, answer))}`);
    const note = behind ? gnet.say("lane behind", { head: state.head }) : "";
    group.classList.toggle("behind", behind);
    group.setAttribute("aria-pressed", String(stage === state.stage));
    group.setAttribute("aria-label", `module ${stage}: ${words.join(", ")}${note}`);
    group.querySelector("title").textContent = `${stage}: ${words.join(" · ")}${note}`;
  }
  for (const group of wide.querySelectorAll("[data-head]")) {
    const name = group.dataset.head;
    const head = answer.heads[name];
    const [top] = head.top ?? [];
    const words = head.top ? [state.network.classes[top], gnet.percent(head.probabilities[top])] : [head.status, ""];
    group.classList.toggle("untrained", !head.top);
    group.setAttribute("aria-pressed", String(name === state.head));
    group.setAttribute("aria-disabled", String(!head.top));
    group.setAttribute("aria-label", head.sentence);
    group.querySelector("title").textContent = head.sentence;
    const says = group.querySelector("[data-room]");
    if (says && said) speak(group, says, gnet.doubtful(name) ? ["not sure", ""] : words);
  }
  element.querySelector(".compared").innerHTML = gnet.marked(answer.compared);
  focused ??= state.stage;
  for (const item of items()) item.setAttribute("tabindex", id(item) === focused ? "0" : "-1");
}

// An exit's words, and its frames around them; in two lines where one has no room.
function speak(group, says, [words, chance]) {
  const begins = `${group.dataset.head}: ${chance}`.trim();
  says.textContent = `${begins} ${words}`;
  let long = says.getComputedTextLength();
  if (long > says.dataset.room) {
    const line = (dy) => `<tspan x="${says.getAttribute("x")}" dy="${dy}em"></tspan>`;
    says.innerHTML = line(-0.55) + line(1.15);
    const [first, second] = says.children;
    first.textContent = `${begins} `;
    second.textContent = words;
    const fits = group.dataset.head !== "main" || second.getComputedTextLength() <= says.dataset.room;
    const [one, two] = fits ? [words] : gnet.halves(words);
    gnet.fit(second, one, says.dataset.room);
    if (two) {
      says.insertAdjacentHTML("beforeend", line(1.15));
      gnet.fit(says.lastChild, two, says.dataset.room);
    }
    long = Math.max(first.getComputedTextLength(), second.getComputedTextLength());
  }
  long += 40;
  for (const frame of group.querySelectorAll("[data-frame]")) {
    if (says.getAttribute("text-anchor") === "end") frame.setAttribute("x", Number(says.getAttribute("x")) + 30 - long);
    frame.setAttribute("width", long);
  }
}

const id = (item) => item.dataset.stage || item.dataset.head;
const items = () => [...wide.querySelectorAll("[role=button]")];

// A module or a head is chosen; with a lane of a module, its branch, too.
function pick(item, branch) {
  if (!item) return;
  focus(item);
  const { stage } = item.dataset;
  if (stage) gnet.choose({ stage, branch: null, ...(branch && { pinned: branch }) });
  else if (item.ariaDisabled !== "true") gnet.choose({ head: item.dataset.head });
}

function focus(item) {
  focused = id(item);
  for (const other of items()) other.setAttribute("tabindex", other === item ? "0" : "-1");
  item.focus({ preventScroll: true });
}

// Where an arrow key leads: along the row of modules and main, or down to an exit and back.
function next(key) {
  const { network } = gnet.state;
  const row = [...Object.keys(network.widths), "main"];
  const exits = network.heads.filter((h) => h.name !== "main");
  const at = row.indexOf(focused);
  const leaving = exits.find((h) => h.name === focused);
  const along = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (key === "Home") return row[0];
  if (key === "End") return row.at(-1);
  if (leaving) {
    if (key === "ArrowUp") return leaving.exit;
    return along && exits[exits.indexOf(leaving) + along]?.name;
  }
  if (along) return row[Math.min(row.length - 1, Math.max(0, at + along))];
  if (key === "ArrowDown") return [...exits].reverse().find((h) => row.indexOf(h.exit) <= at)?.name;
}

wide.addEventListener("click", ({ target }) => pick(target.closest("[role=button]"), target.dataset.branch));
wide.addEventListener("keydown", (event) => {
  const wanted = next(event.key);
  if (event.key === "Enter" || event.key === " ") pick(event.target.closest("[role=button]"));
  else if (wanted) focus(items().find((other) => id(other) === wanted));
  else return;
  event.preventDefault();
});
element.querySelector(".fills").addEventListener("click", ({ target: { dataset } }) => dataset.lanes && gnet.choose({ lanes: dataset.lanes }));
new ResizeObserver(() => gnet.state.answer && wide.clientWidth !== drawn && build()).observe(wide);
gnet.draw((changed) => {
  if (!wide.firstChild || changed.has("network")) build();
  else if (["answer", "stage", "head", "target", "pinned", "switches", "lanes", "worth", "account"].some((name) => changed.has(name))) {
    refresh(gnet.state.answer, changed.has("answer") || changed.has("head"));
  }
}, ["explore"], true);
