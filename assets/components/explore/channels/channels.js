// All channels of one branch as small maps, in one of three orders; a click opens one of them.
const find = (selector) => element.querySelector(selector);
const [panel, tiles, note] = [".panel", ".tiles", ".note"].map(find);
const { state } = gnet;
let listing = null; // the branch whose channels are listed
let facts = null; // the server’s answer for them
let asked = "";
let sort = "response";

const module_ = () => state.answer.stages[state.stage];

// The branch to list: "5x5" lists its channels, and "5x5.17" leaves the list as it is.
function wanted() {
  const [branch, number] = (state.channel ?? "").split(".");
  if (!gnet.branches().includes(branch)) return null;
  return number === undefined || listing === branch ? branch : null;
}

function open(branch) {
  const question = { stage: state.stage, branch, head: state.head, class_index: gnet.target() };
  const words = JSON.stringify([state.answer.key, question]);
  const first = panel.hidden;
  listing = branch;
  panel.hidden = false;
  panel.className = `panel card b${branch}`;
  if (words !== asked) {
    asked = words;
    if (facts?.stage !== state.stage || facts.branch !== branch) blank(branch);
    tiles.classList.add("dim");
    trigger("listed", question);
  }
  if (first) panel.scrollIntoView({ block: "nearest" });
}

function close() {
  const inside = panel.contains(document.activeElement);
  panel.hidden = true;
  const left = listing;
  [listing, asked] = [null, ""];
  if (inside && left) document.querySelector(`#branches [data-branch="${left}"] [data-all]`)?.focus({ preventScroll: true });
}

// The places of the maps, before they are there.
function blank(branch) {
  facts = null;
  const { channels } = module_().branches[branch];
  find("h2").textContent = gnet.say("all channels", { stage: state.stage, branch: gnet.label(branch), count: channels });
  note.textContent = "";
  tiles.innerHTML = `<button type="button" disabled aria-label="not there yet"><canvas></canvas></button>`.repeat(channels);
}

function show() {
  const { sorts, channels, grid, limit, title } = facts;
  const chosen = sorts.find((one) => one.name === sort) ?? sorts[0];
  find("h2").textContent = title;
  find(".sorts").innerHTML = sorts
    .map(({ name, label, order }) => `<button type="button" data-sort="${name}" aria-pressed="${name === sort}"${order ? "" : ` data-none`}>${label}</button>`)
    .join("");
  const order = chosen.order ?? sorts.at(-1).order;
  tiles.innerHTML = order
    .map((at, i) => `<button type="button" data-channel="${at}" tabindex="${i ? -1 : 0}" aria-label="${gnet.escape(channels[at].words)}"><canvas></canvas></button>`)
    .join("");
  order.forEach((at, i) => {
    const own = channels[at];
    gnet.paint(tiles.children[i].firstChild, own, grid, state.scope === "channel" ? own.limit : limit, state.answer.signed);
  });
  tiles.classList.remove("dim");
  tell();
  mark();
}

const tell = () => (note.textContent = facts?.sorts.find((one) => one.name === sort)?.sentence ?? "");

// Which of them is open.
function mark() {
  for (const tile of tiles.children) {
    tile.setAttribute("aria-expanded", String(state.channel === `${listing}.${tile.dataset.channel}`));
  }
}

function point(event) {
  const at = event.target.closest("[data-channel]")?.dataset.channel;
  if (at !== undefined) note.textContent = `${facts.title.split(" · all")[0]} · ${facts.channels[at].words}`;
}

for (const kind of ["pointerover", "focusin"]) tiles.addEventListener(kind, point);
for (const kind of ["pointerleave", "focusout"]) tiles.addEventListener(kind, tell);
panel.addEventListener("click", (event) => {
  const { sort: by, channel, close: closed } = event.target.closest("button")?.dataset ?? {};
  if (closed !== undefined) gnet.choose({ channel: null });
  if (channel !== undefined) gnet.choose({ channel: `${listing}.${channel}` });
  if (!by || !facts) return;
  sort = by;
  show();
  find(`[data-sort="${by}"]`).focus();
});
tiles.addEventListener("keydown", (event) => {
  const all = [...tiles.children];
  const row = all.findIndex((tile) => tile.offsetTop > all[0].offsetTop);
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row }[event.key];
  const tile = event.target.closest("[data-channel]");
  const other = all[all.indexOf(tile) + step];
  if (!step || !other) return;
  tile.tabIndex = -1;
  other.tabIndex = 0;
  other.focus();
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || panel.hidden || state.channel !== listing || event.target.closest?.("dialog")) return;
  event.preventDefault();
  gnet.choose({ channel: null });
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what === "channels" && !answered) asked = "";
});
watch("value", () => {
  const { value } = props;
  const same = ["stage", "head"].every((name) => value[name] === state[name]);
  if (!listing || !same || value.key !== state.answer.key || value.branch !== listing || value.class_index !== gnet.target()) return;
  facts = value;
  show();
});
gnet.draw((changed) => {
  const has = (...names) => names.some((what) => changed.has(what));
  if (!has("answer", "stage", "channel", "network", "tab", "head", "target", "scope")) return;
  const branch = wanted();
  if (!branch) return close();
  open(branch);
  if (facts && has("scope")) show();
  if (has("channel")) mark();
});
