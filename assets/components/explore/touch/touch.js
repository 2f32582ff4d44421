// A brush on the square that the network saw, or a pad to draw on. The square is painted at the
// network's own size; it goes to the server without loss, and nothing is cut or scaled again.
const find = (selector) => element.querySelector(selector);
const [canvas, view] = [find("canvas"), find(".view")];
const { state, light, say, escape, percent } = gnet;
const context = canvas.getContext("2d", { willReadFrequently: true });
const GREY = [127, 127, 127];
const GROUNDS = { picture: null, white: [255, 255, 255], grey: GREY };
const PENS = { black: [20, 20, 20], white: [255, 255, 255], red: [200, 40, 40], yellow: [235, 190, 30], green: [40, 140, 60], blue: [40, 90, 190] };
const SIZES = { small: 0.025, medium: 0.06, large: 0.12 }; // radius as part of the side
const ROWS = 4; // classes beside each other
const BRUSHES = { blur: "brush blur", grey: "brush grey", mean: "brush mean" };
const DOES = { blur: "blur does", grey: "grey does", mean: "mean does" };
const NAMES = { picture: "on picture", white: "on white", grey: "on grey" };
const COLOURS = { black: "black pen", white: "white pen", red: "red pen", yellow: "yellow pen", green: "green pen", blue: "blue pen" };
const WIDTHS = { small: "small brush", medium: "medium brush", large: "large brush" };
const brush = { picture: "blur", white: "black", grey: "black" }; // ground → what its brush does
let ground = "picture";
let size = "medium";
let papers = {}; // ground → what is painted on
let square = null; // the px of the square that the network saw
let of = null; // key of the answer that the square belongs to
let at = null; // where the brush is, in px of the square
let down = false; // whether it paints

const side = () => canvas.width;
const radius = () => Math.max(1, SIZES[size] * side());
const paper = () => papers[ground];
const fills = () =>
  ground === "picture"
    ? { blur: gnet.painting.blurred(square, side()), grey: GREY, mean: gnet.painting.mean(square) }
    : PENS;
const tool = () => (brush[ground] === "restore" ? null : brush[ground]);

// The exact px of the square come from the server: what the page shows of a large one is not exact.
document.addEventListener("gnet-touch", () => {
  if (of === state.whole.key && square) return open();
  trigger("squared", { turn: performance.now() });
});
watch("value", async () => {
  const { key, picture } = props.value;
  if (key !== state.whole.key || state.light) return;
  const image = new Image();
  image.src = picture;
  await image.decode();
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  context.drawImage(image, 0, 0);
  square = context.getImageData(0, 0, side(), side()).data;
  [papers, of, ground, at] = [{}, key, "picture", [side() / 2, side() / 2]];
  open();
});

function open() {
  light.begin("touch");
  choose(ground);
  if (paper().touched()) changed();
  canvas.focus({ preventScroll: true });
  if (gnet.coarse) element.scrollIntoView({ block: "start" });
}

function choose(name) {
  ground = name;
  const below = GROUNDS[name] ? gnet.painting.plain(GROUNDS[name], side()) : square;
  papers[name] ??= gnet.painting.paper(below, side(), fills());
  buttons();
  show();
}

function buttons() {
  const pens = Object.entries(PENS).map(([name, colour]) => [
    name, `<i class="swatch" style="background:rgb(${colour})"></i>`, say(COLOURS[name]),
  ]);
  const own = Object.keys(BRUSHES).map((name) => [name, say(BRUSHES[name]), say(DOES[name])]);
  const back = ["restore", ground === "picture" ? say("restore brush") : say("eraser"), ""];
  group(".grounds", Object.keys(GROUNDS).map((name) => [name, say(NAMES[name]), ""]), ground);
  group(".brushes", [...(ground === "picture" ? own : pens), back], brush[ground]);
  const dots = Object.keys(SIZES).map((name, i) => [
    name, `<i class="dot" style="width:${5 + 4 * i}px;height:${5 + 4 * i}px"></i>`, say(WIDTHS[name]),
  ]);
  group(".sizes", dots, size);
  const painted = ground === "picture";
  find(".invert").hidden = !painted;
  find(".about").textContent = painted && tool() ? say(DOES[tool()]) : "";
  find(".hint").textContent = `${say(painted ? "touched pictures" : "drawn pictures")} ${say("touch keys")}`;
  canvas.setAttribute("aria-label", say(painted ? "touched square" : "pad"));
}

function group(part, all, pressed) {
  find(part).innerHTML = all
    .map(
      ([name, face, words]) =>
        `<button type="button" data-name="${name}" aria-pressed="${name === pressed}"` +
        `${words ? ` title="${escape(words)}"` : ""}${face.startsWith("<") ? ` aria-label="${escape(words)}"` : ""}>${face}</button>`,
    )
    .join("");
}

for (const [part, set] of [
  [".grounds", (name) => { choose(name); changed(); }],
  [".brushes", (name) => (brush[ground] = name)],
  [".sizes", (name) => (size = name)],
]) {
  find(part).addEventListener("click", (event) => {
    const name = event.target.closest("button")?.dataset.name;
    if (!name) return;
    set(name);
    buttons();
    ring();
    find(`${part} [data-name="${name}"]`).focus();
  });
}

function show() {
  context.putImageData(new ImageData(paper().compose(), side(), side()), 0, 0);
  const touched = paper().touched();
  find(".undo").disabled = !paper().steps();
  find(".use").disabled = ground === "picture" && !touched;
  ring();
}

// The rim of the brush.
function ring() {
  find("svg").setAttribute("viewBox", `0 0 ${side()} ${side()}`);
  for (const circle of element.querySelectorAll("circle")) {
    for (const [name, value] of [["cx", at[0]], ["cy", at[1]], ["r", radius()]]) circle.setAttribute(name, value);
  }
}

// The newest state of the square, for the server; strokes that came before it are in it.
async function frame() {
  const [blob, bitmap] = await Promise.all([
    new Promise((done) => canvas.toBlob(done, "image/png")),
    createImageBitmap(canvas),
  ]);
  return { blob, bitmap, before: ground === "picture" ? of : "" };
}

let drawing = 0;
function changed() {
  if (drawing) return;
  drawing = requestAnimationFrame(() => {
    drawing = 0;
    show();
    light.follow(frame);
  });
}

function press() {
  down = true;
  paper().begin();
  paper().dab(...at, radius(), tool());
  changed();
}

function move(to) {
  if (down) {
    paper().line(at, to, radius(), tool());
    changed();
  }
  at = to;
  ring();
}

const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * side(), ((event.clientY - box.top) / box.height) * side()];
};
canvas.addEventListener("pointerdown", (event) => {
  if (event.button || down) return;
  canvas.setPointerCapture(event.pointerId);
  at = place(event);
  press();
});
canvas.addEventListener("pointermove", (event) => {
  for (const one of event.getCoalescedEvents?.() ?? []) move(place(one));
  move(place(event));
});
for (const end of ["pointerup", "pointercancel", "blur"]) canvas.addEventListener(end, () => (down = false));

// Arrow keys move the brush, by single px with Shift; Space paints while it is held.
canvas.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.key === " " && !down) press();
  if (by) {
    const step = event.shiftKey ? 1 : Math.max(2, radius() / 2);
    move(at.map((v, i) => Math.min(side(), Math.max(0, v + by[i] * step))));
  }
  if (by || event.key === " ") event.preventDefault();
});
canvas.addEventListener("keyup", (event) => event.key === " " && (down = false));
element.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  undo();
});

function undo() {
  paper().undo();
  changed();
}
find(".undo").addEventListener("click", undo);
find(".invert").addEventListener("click", () => {
  paper().invert(tool() ?? "blur");
  changed();
});
find(".use").addEventListener("click", async () => {
  show();
  const { blob } = await frame();
  const name = ground === "picture" ? say("touched", { name: state.whole.name }) : say("drawing");
  light.use(blob, "touched.png", name);
});
function leave() {
  light.end();
  document.querySelector("#picture .touch").focus();
}
find(".done").addEventListener("click", leave);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.light === "touch" && !document.querySelector("dialog[open]")) leave();
});
find(".back").addEventListener("click", () => {
  papers = {};
  ground = "picture";
  leave();
});

// Belief before and after, for the head that is chosen.
function rows() {
  const { head, answer, network } = state;
  const [was, now] = [light.before().heads[head], answer.heads[head]];
  if (!now?.top) return (find(".moved tbody").innerHTML = "");
  const own = ground === "picture";
  const shown = [...new Set([...(own ? was.top.slice(0, 2) : []), ...now.top])].slice(0, ROWS);
  const line = (c) => {
    const [before, after] = [was.probabilities[c], now.probabilities[c]];
    const words = own ? `${percent(before)} → ${percent(after)}` : percent(after);
    const mark = own ? `<b style="left:${(100 * before).toFixed(1)}%"></b>` : "";
    return (
      `<tr><th scope="row">${escape(network.classes[c])}</th><td><span class="bar"><i style="width:` +
      `${(100 * after).toFixed(1)}%"></i>${mark}</span></td><td>${words}</td></tr>`
    );
  };
  find(".moved").className = `moved ${head}`;
  find(".moved caption").textContent = say(own ? "before after" : "drawn belief", { head });
  find(".moved tbody").innerHTML = shown.map(line).join("");
  find(".most").textContent = answer.changed?.most ?? "";
}

gnet.draw((changes) => {
  if (state.light !== "touch") return;
  if (changes.has("answer") || changes.has("head")) rows();
  find(".trouble").textContent = state.trouble;
}, ["explore"], true);
