// The network: stem, nine modules of four lanes, two exits and the classifier. One tab stop; the
// arrow keys go along the modules and down to the exits, Enter or Space chooses.
const wide = element.querySelector(".wide");
const [W, H, MIDDLE, STEP, LANE] = [690, 330, 148, 59, 44];
const [TOP, TALL, EXITS] = [20, 254, 310]; // the frames of the modules, and the line of the exits
const branches = () => gnet.branches();
let focused = null;

function build() {
  const { network, answer } = gnet.state;
  const stages = Object.keys(network.widths);
  const widest = Math.max(...Object.values(network.widths).flat());
  const places = {};
  const parts = [];
  let x = 50;
  parts.push(
    `<rect class="part" x="2" y="${MIDDLE - 26}" width="32" height="52" rx="5"/>` +
      `<text x="18" y="${MIDDLE + 42}" text-anchor="middle">stem</text>`,
  );
  let left = 34;
  for (const stage of stages) {
    if (stage === "4a" || stage === "5a") {
      parts.push(
        `<path class="part" d="M${x - 1} ${MIDDLE - 20}l10 9v22l-10 9z"/>` +
          `<text x="${x + 4}" y="${MIDDLE + 36}" text-anchor="middle">÷2</text>`,
      );
      x += 18;
    }
    places[stage] = x + STEP / 2 - 2;
    parts.push(pipe(left, x + 7), moduleAt(stage, x, widest));
    left = x + 7 + LANE;
    x += STEP;
  }
  branches().forEach((branch, i) => {
    const y = TOP + TALL - 54 + 16 * i;
    parts.push(
      `<rect class="lane b${branch}" x="2" y="${y}" width="10" height="10" rx="2"/>` +
        `<text x="17" y="${y + 9}">${gnet.label(branch)}</text>`,
    );
  });
  const end = { x: x + 26, y: MIDDLE };
  parts.push(pipe(left, end.x - 9));
  for (const head of network.heads) {
    const at = head.name === "main" ? end : { x: places[head.exit], y: EXITS };
    parts.push(exit(head, at));
  }
  wide.innerHTML =
    `<svg viewBox="0 0 ${W} ${H}" role="toolbar" aria-label="GoogLeNet: modules and exits">` +
    `${parts.join("")}</svg>`;
  refresh(answer, true);
}

const pipe = (from, to) => `<path class="pipe" d="M${from} ${MIDDLE}H${to}"/>`;

function moduleAt(stage, x, widest) {
  const widths = gnet.state.network.widths[stage];
  const heights = widths.map((n) => 6 + (n / widest) * 78);
  let y = MIDDLE - (heights.reduce((a, b) => a + b) + 9) / 2;
  const lanes = branches().map((branch, i) => {
    const out = gnet.state.network.left_out.includes(branch) ? "out" : "";
    const lane = `<rect class="lane b${branch} ${out}" data-branch="${branch}" x="${x + 6}"
      y="${y.toFixed(1)}" width="${LANE}" height="${heights[i].toFixed(1)}" rx="3"/>`;
    y += heights[i] + 3;
    return lane;
  });
  return (
    `<g role="button" tabindex="-1" data-stage="${stage}">` +
    `<title></title><rect class="frame" x="${x}" y="${TOP}" width="${STEP - 3}" height="${TALL}" rx="8"/>` +
    `${lanes.join("")}<text x="${x + STEP / 2 - 2}" y="14" text-anchor="middle">${stage}</text></g>`
  );
}

// The first exit speaks to its left and the second to its right, so long names have room.
function exit(head, { x, y }) {
  const end = head.name === "main";
  const left = head.name === "aux1";
  const room = (left ? x : W - x) - 22; // px for its words
  const words = end
    ? `<text x="${x}" y="${y + 26}" text-anchor="middle">main</text>`
    : `<text class="says" data-room="${room}" x="${x + (left ? -14 : 14)}" y="${y + 4}"
        text-anchor="${left ? "end" : "start"}"></text>`;
  const lead = end ? "" : `<path class="dots" d="M${x} ${TOP + TALL}V${y - 8}"/>`;
  const frame = end ? [x - 21, y - 19, 42, 55] : [left ? 2 : x - 14, y - 15, room + 34, 30];
  const [fx, fy, w, h] = frame;
  return (
    `${lead}<g role="button" tabindex="-1" class="${head.name}" data-head="${head.name}">` +
    `<rect class="frame" x="${fx}" y="${fy}" width="${w}" height="${h}" rx="8"/>` +
    `<circle class="knob" cx="${x}" cy="${y}" r="6.5"/>${words}</g>`
  );
}

function refresh(answer, said) {
  const { state } = gnet;
  for (const group of wide.querySelectorAll("[data-stage]")) {
    const { stage } = group.dataset;
    const numbers = answer.stages[stage].branches;
    const most = Math.max(...branches().map((b) => numbers[b].share));
    for (const lane of group.querySelectorAll(".lane")) {
      const { share } = numbers[lane.dataset.branch];
      lane.setAttribute("fill-opacity", (0.14 + (most ? 0.86 * (share / most) : 0)).toFixed(3));
    }
    const behind = !gnet.reaches(stage);
    const words = branches().map((b) => `${gnet.label(b)} ${gnet.percent(numbers[b].share)}`);
    const note = behind ? `; behind ${state.head}, cannot explain it` : "";
    group.classList.toggle("behind", behind);
    group.setAttribute("aria-pressed", String(stage === state.stage));
    group.setAttribute("aria-label", `module ${stage}: ${words.join(", ")}${note}`);
    group.querySelector("title").textContent = `${stage}: ${words.join(" · ")}${note}`;
  }
  for (const group of wide.querySelectorAll("[data-head]")) {
    const name = group.dataset.head;
    const head = answer.heads[name];
    const chance = head.top ? ` ${gnet.percent(head.probabilities[head.top[0]])}` : "";
    const words = head.top ? first(head) : head.status;
    const doubt = gnet.doubtful(name);
    group.classList.toggle("untrained", !head.top);
    group.setAttribute("aria-pressed", String(name === state.head));
    group.setAttribute("aria-disabled", String(!head.top));
    group.setAttribute("aria-label", `exit ${name}: ${doubt ? "not sure, nearest " : ""}${words}${chance}`);
    const says = group.querySelector(".says");
    if (!says || !said) continue;
    const line = doubt ? ["not sure", ""] : [words, chance];
    gnet.fit(says, line[0], says.dataset.room, `${name}: `, line[1]);
    const [frame, long] = [group.querySelector(".frame"), says.getComputedTextLength() + 36];
    if (name === "aux1") frame.setAttribute("x", Number(says.getAttribute("x")) + 28 - long);
    frame.setAttribute("width", long);
  }
  focused ??= state.stage;
  for (const item of items()) item.setAttribute("tabindex", id(item) === focused ? "0" : "-1");
  bring(wide.querySelector(`[data-stage="${state.stage}"]`));
}

// On a narrow screen the diagram is wider than its card: scroll it, and nothing else.
function bring(item) {
  const [box, seen] = [item.getBoundingClientRect(), wide.getBoundingClientRect()];
  if (box.left < seen.left) wide.scrollLeft -= seen.left - box.left + 40;
  if (box.right > seen.right) wide.scrollLeft += box.right - seen.right + 40;
}

const first = (head) => gnet.state.network.classes[head.top[0]];
const id = (item) => item.dataset.stage || item.dataset.head;
const items = () => [...wide.querySelectorAll("[role=button]")];

function pick(item) {
  if (!item) return;
  focus(item);
  if (item.dataset.stage) gnet.choose({ stage: item.dataset.stage, branch: null });
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

wide.addEventListener("click", (event) => pick(event.target.closest("[role=button]")));
wide.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") pick(event.target.closest("[role=button]"));
  else {
    const wanted = next(event.key);
    if (!wanted) return;
    const item = items().find((other) => id(other) === wanted);
    focus(item);
    bring(item);
  }
  event.preventDefault();
});
gnet.draw((changed) => {
  if (!wide.firstChild || changed.has("network")) build();
  else if (["answer", "stage", "head"].some((name) => changed.has(name))) {
    refresh(gnet.state.answer, changed.has("answer") || changed.has("head"));
  }
});
