// The live camera: its frames are answered one after another, the newest first, until one is frozen
// and explored like any picture. A frame is the square at the network's own size, a small JPEG.
const find = (selector) => element.querySelector(selector);
const { state, light, say } = gnet;
const QUALITY = 0.9;
const canvas = find("canvas");
gnet.spell(element);
const small = document.createElement("canvas"); // where a frame is cut out
const video = document.createElement("video");
[video.muted, video.playsInline] = [true, true];
let stream = null;
let frozen = false;
const times = []; // when the last answers came

async function start() {
  let given;
  try {
    given = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = given;
    await video.play();
  } catch (error) {
    stop(given);
    return able(error.name === "NotAllowedError" ? "camera refused" : "no camera");
  }
  if (state.tab !== "explore" || state.light) return stop(given);
  [stream, frozen, times.length, canvas.width] = [given, false, 0, 1];
  find(".rate").textContent = "";
  find(".hint").textContent = say("frames");
  light.begin("camera");
  find(".freeze").focus({ preventScroll: true });
  if (gnet.coarse) element.scrollIntoView({ block: "start" });
  run();
}
document.addEventListener("gnet-camera", start);

const on = () => stream && !frozen && state.light === "camera";
const run = () => light.follow(frame, on);

async function frame() {
  if (document.hidden) {
    await new Promise((shown) => document.addEventListener("visibilitychange", shown, { once: true }));
  }
  if (!on()) return null;
  const { size } = state.network;
  const [width, height] = [video.videoWidth, video.videoHeight];
  const cut = Math.min(width, height);
  [small.width, small.height] = [size, size];
  const context = small.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(video, (width - cut) / 2, (height - cut) / 2, cut, cut, 0, 0, size, size);
  const blob = await new Promise((done) => small.toBlob(done, "image/jpeg", QUALITY));
  return { blob, bitmap: await createImageBitmap(blob) };
}

function stop(given = stream) {
  given?.getTracks().forEach((track) => track.stop());
  stream = video.srcObject = null;
}

// What is on the screen is what is explored: the frame answered last.
function freeze() {
  const { frame: last } = state.answer;
  if (!last || frozen) return;
  frozen = true;
  light.use(last.blob, "camera.jpg", say("camera picture"));
}
find(".freeze").addEventListener("click", freeze);
find(".stop").addEventListener("click", () => {
  light.end();
  document.querySelector("#picture .camera").focus();
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, dialog");
  if (state.light !== "camera" || event.key.toLowerCase() !== "f" || typing) return;
  if (!event.ctrlKey && !event.metaKey && !event.altKey) freeze();
});
function thaw() {
  if (!frozen) return;
  frozen = false;
  if (on()) run();
}
document.addEventListener("gnet-lost", thaw);
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => what === "answer" && !answered && thaw());

function rate() {
  const now = performance.now();
  times.push(now);
  while (now - times[0] > 2000) times.shift();
  const seconds = (now - times[0]) / 1000;
  if (seconds > 0.5) find(".rate").textContent = say("frame rate", { rate: Math.round((times.length - 1) / seconds) });
}

// Why there is no camera, if there is none: then its button is not there, but a sentence.
function able(why) {
  state.camera = why ? say(why) : "";
  gnet.tell(["camera"]);
}
async function look() {
  if (!navigator.mediaDevices?.getUserMedia) return able("camera unsafe");
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  if (!devices.some(({ kind }) => kind === "videoinput")) return able("no camera");
  const allowed = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
  if (!allowed) return able("");
  const tell = () => able(allowed.state === "denied" ? "camera refused" : "");
  allowed.onchange = tell;
  tell();
}
look();
navigator.mediaDevices?.addEventListener?.("devicechange", look);

document.addEventListener("gnet", () => state.light !== "camera" && stream && stop());
gnet.draw((changed) => {
  if (state.light !== "camera") return;
  const { frame: last } = state.answer;
  if (changed.has("answer") && last) {
    [canvas.width, canvas.height] = [last.bitmap.width, last.bitmap.height];
    canvas.getContext("2d").drawImage(last.bitmap, 0, 0);
    rate();
  }
  find(".trouble").textContent = state.trouble;
}, ["explore"], true);
