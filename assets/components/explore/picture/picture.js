// The picture: upload, camera, paste, drop, examples; the square that was seen, and moving it.
const find = (selector) => element.querySelector(selector);
const [view, clip, square, whole, mover] = [".view", ".clip", ".square", ".whole", ".mover"].map(find);
const file = find("input");
const OWN = "gnet-picture"; // where this tab keeps which picture of the viewer's own was shown
const plain = (value) => JSON.parse(JSON.stringify(value));
let accepted = plain(props.value); // the value the answer shown belongs to
const sent = []; // values the server has not spoken about yet
let box = null; // where the square is while it is moved
let held = null; // where the pointer took hold of it
let later = null;

// Ask for another picture, or another square of this one.
function send(given, net = sent.length ? sent.at(-1).net : gnet.state.net) {
  const value = { ...(net && { net }), ...given };
  props.value = value;
  sent.push(value);
  gnet.wait("answer", true);
  trigger("chosen");
}

// A square that the network is to take as it is comes with its `about`.
async function take(given, about = { orig_name: given?.name || "picture" }) {
  if (!given) return;
  if (given.size > props.megabytes * 1e6) {
    send({ bytes: given.size }); // no need to upload it; the server says what is allowed
    return;
  }
  gnet.wait("answer", true);
  try {
    const { path } = await upload(given);
    send({ path, ...about });
  } catch {
    gnet.wait("answer", false);
    document.dispatchEvent(new Event("gnet-lost"));
    say(gnet.say("upload failed"));
  }
}

// A refusal leaves everything as it was.
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what !== "answer") return;
  const { opening, ...value } = sent.shift();
  if (answered) accepted = gnet.state.answer.instead && opening ? plain(gnet.state.answer.given) : value;
  if (answered && value.path) sessionStorage.setItem(OWN, JSON.stringify(value));
  else if (answered || JSON.stringify(value) === sessionStorage.getItem(OWN)) sessionStorage.removeItem(OWN);
  if (!sent.length) props.value = accepted;
  if (!answered) place(gnet.state.answer.picture);
});

function place({ box: [x, y, side], width, height }) {
  box = { x, y, side, width, height };
  const scale = 100 / side;
  whole.style.width = `${width * scale}%`;
  whole.style.height = `${height * scale}%`;
  whole.style.left = `${-x * scale}%`;
  whole.style.top = `${-y * scale}%`;
  square.hidden = false;
  const across = width - side >= height - side;
  const [now, most] = across ? [x, width - side] : [y, height - side];
  mover.setAttribute("aria-valuemax", most);
  mover.setAttribute("aria-valuenow", now);
  mover.setAttribute("aria-valuetext", `${Math.round((100 * now) / Math.max(1, most))} % along`);
  mover.setAttribute("aria-orientation", across ? "horizontal" : "vertical");
}

function move(x, y) {
  const limit = (v, most) => Math.round(Math.min(most, Math.max(0, v)));
  place({
    box: [limit(x, box.width - box.side), limit(y, box.height - box.side), box.side],
    width: box.width,
    height: box.height,
  });
  square.hidden = true;
}

function moved() {
  const [x, y, side] = gnet.state.answer.picture.box;
  if (box.x === x && box.y === y) return place(gnet.state.answer.picture);
  send({ ...accepted, box: [box.x, box.y, side] });
}

mover.addEventListener("pointerdown", (event) => {
  held = { px: event.clientX, py: event.clientY, x: box.x, y: box.y };
  mover.setPointerCapture(event.pointerId);
});
mover.addEventListener("pointermove", (event) => {
  if (!held) return;
  const scale = box.side / clip.clientWidth;
  move(held.x - (event.clientX - held.px) * scale, held.y - (event.clientY - held.py) * scale);
});
for (const end of ["pointerup", "pointercancel"]) {
  mover.addEventListener(end, () => {
    if (held) moved();
    held = null;
  });
}
mover.addEventListener("keydown", (event) => {
  const step = Math.max(1, Math.round(box.side / 10));
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!by) return;
  event.preventDefault();
  move(box.x + by[0] * step, box.y + by[1] * step);
  clearTimeout(later);
  later = setTimeout(moved, 300);
});

// The ways a picture comes in.
find(".upload").addEventListener("click", () => file.click());
find(".upload").title = gnet.coarse ? "" : gnet.say("drop or paste");
mover.title = gnet.say("drag square");
file.addEventListener("change", () => {
  take(file.files[0]);
  file.value = "";
});
const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const onPicture = (event) => element.contains(event.target);
// One picture of those that were dropped or pasted; more than one is a mistake.
function one(files) {
  if (files.length > 1) say(gnet.say("one picture", { count: files.length }));
  else take(files[0]);
}
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    if (!carries(event) && !onPicture(event)) return;
    event.preventDefault();
    view.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) view.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  view.classList.remove("over");
  const { files, items } = event.dataTransfer ?? { files: [], items: [] };
  if (!files.length && !onPicture(event)) return;
  event.preventDefault();
  const folder = files.length < 2 && [...items].map((item) => item.webkitGetAsEntry?.()).find((entry) => entry?.isDirectory);
  if (folder) send({ folder: folder.name });
  else if (files.length) one(files);
  else say(gnet.say("dropped address"));
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) one(event.clipboardData.files);
});
const dialog = find("dialog");
for (const choice of [".examples", ".groups"]) {
  find(choice).addEventListener("click", (event) => {
    const example = event.target.closest("button")?.dataset.example;
    if (!example) return;
    dialog.close();
    send({ example });
  });
}
find(".all").addEventListener("click", () => dialog.showModal());
find(".close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

for (const way of ["camera", "touch"]) {
  find(`.${way}`).addEventListener("click", () => document.dispatchEvent(new Event(`gnet-${way}`)));
}
document.addEventListener("gnet-give", ({ detail: { given, name } }) => take(given, { orig_name: name, exact: true }));

function say(words) {
  find(".words").innerHTML = words
    ? gnet.escape(words)
    : gnet.term(gnet.say("kept"), gnet.say("kept how")) +
      (gnet.state.camera && `; ${gnet.term(gnet.say("camera none"), gnet.state.camera)}`);
}

// Where there is no camera its button is not there, and a sentence says why.
function able() {
  find(".camera").hidden = Boolean(gnet.state.camera);
  say();
}

// That only a square of a picture is seen; and what became of a large one, for a network that has
// learned from small ones.
function seen() {
  const { network: { thumbnail: side }, answer: { picture } } = gnet.state;
  const small = side && picture.box[2] > side;
  find(".seen").textContent = [picture.whole && gnet.say("one square"), small && gnet.say("seen as", { side })].filter(Boolean).join(" · ");
  find(".seen").title = small ? gnet.say("seen why") : "";
}

// The strip of examples moves so that the chosen one is seen.
function reveal(button) {
  const strip = find(".examples");
  if (button.parentElement !== strip) return;
  const [left, width] = [button.offsetLeft - strip.offsetLeft, strip.clientWidth];
  if (left < strip.scrollLeft || left + 40 > strip.scrollLeft + width) strip.scrollLeft = left - width / 2;
}

// What was seen, with the window of the middle cell of each branch.
function show() {
  const { picture, name, example, instead, given } = gnet.state.answer;
  if (instead && !sent.length) props.value = accepted = plain(given); // another network was asked for
  square.src = picture.square;
  seen();
  square.alt = gnet.say("square of", { name, size: picture.size });
  whole.hidden = !picture.whole;
  if (picture.whole) whole.src = picture.whole;
  mover.hidden = !picture.whole;
  for (const [key, value] of Object.entries({
    role: "slider", tabindex: 0, "aria-label": gnet.say("square"), "aria-valuemin": 0,
  })) mover.setAttribute(key, value);
  place(picture);
  mover.classList.toggle("along-x", picture.height === picture.box[2]);
  mover.classList.toggle("along-y", picture.width === picture.box[2]);
  say();
  const { verdict, heads } = gnet.state.answer;
  find(".about b").textContent = verdict ? "" : name;
  find(".about span").textContent = verdict?.sentence ?? heads.main?.sentence ?? "";
  find(".about span").className = { true: "right", false: "wrong" }[verdict?.right] ?? "";
  for (const button of element.querySelectorAll("[data-example]")) {
    button.ariaPressed = String(button.dataset.example === example);
    if (button.dataset.example === example) reveal(button);
  }
}

function boxes() {
  const { left_out } = gnet.state.network;
  find(".legend").innerHTML = gnet
    .branches()
    .filter((name) => !left_out.includes(name))
    .map((name) => `<span class="b${name}">${gnet.label(name)}</span>`)
    .join("");
  gnet.fields.draw(find("svg"), view.clientWidth);
}

const known = [...props.examples];
gnet.examples = known.map(({ name }) => name);
gnet.tell(["examples"]);
const image = ({ picture, words }) => `<img src="${picture}" alt="${words}">`;
find(".examples").innerHTML = known
  .map((one) => `<button type="button" data-example="${one.name}" title="${one.words}">${image(one)}</button>`)
  .join("");
const card = (one) =>
  `<button type="button" data-example="${one.name}"><img src="${one.picture}" alt=""><span>${one.words}</span></button>`;
find(".groups").innerHTML = [...new Set(known.map(({ group }) => group))]
  .map((group) => {
    const cards = known.filter((one) => one.group === group).map(card);
    return `<section><h3>${group}</h3><div>${cards.join("")}</div></section>`;
  })
  .join("");
find(".all").textContent = `All ${known.length}`;
find(".all").title = gnet.say("all examples");
new ResizeObserver(() => gnet.state.answer && boxes()).observe(view);
document.addEventListener("gnet-look", ({ detail }) => {
  const { box, ...picture } = accepted; // each network has its own px
  send({ ...(detail.tile ? {} : picture), ...detail });
});

document.addEventListener("gnet-return", ({ detail }) => send(detail, ""));

// The address may name another picture than the one the page opens on, its square, or another network.
// Where it names no picture, a reload finds the viewer's own again.
let wanted = {};
const example = gnet.address.get("picture");
if (known.some(({ name }) => name === example)) wanted.example = example;
else if (!gnet.address.get("tile")) wanted = JSON.parse(sessionStorage.getItem(OWN)) ?? {};
const corner = gnet.address.get("square")?.split(",").map(Number) ?? [];
if (!wanted.path && corner.length === 3 && corner.every(Number.isFinite)) wanted.box = corner;
if (gnet.address.get("tile")) wanted.tile = gnet.address.get("tile");
if (gnet.address.get("net")) Object.assign(wanted, { net: gnet.nets.named(gnet.address.get("net")), opening: true });
function open() {
  if (!gnet.state.answer) return;
  document.removeEventListener("gnet", open);
  const given = wanted;
  if (given.tile) delete given.example;
  const same = given.example === gnet.state.answer.example ? ["example"] : [];
  if (given.path || Object.keys(given).some((key) => !same.includes(key))) {
    gnet.reopen();
    send(given.path ? given : { ...accepted, ...given });
  }
}
document.addEventListener("gnet", open); // whichever tab is shown
open();
gnet.draw((changed) => {
  if (changed.has("answer")) show();
  if (changed.has("camera")) able();
  if (["answer", "stage", "branch", "cell"].some((what) => changed.has(what))) boxes();
});
