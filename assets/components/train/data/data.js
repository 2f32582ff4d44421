// The data set's buttons: upload a zip of one's own, look at the pictures before a run.
const find = (selector) => element.querySelector(selector);
const [file, progress, trouble] = [find("input"), find(".progress"), find(".trouble")];
const { megabytes } = props;
// What is wrong stands in the hint's place, so that the form below stays where it is.
function say(words) {
  trouble.textContent = words;
  unseen = words !== "";
  reveal();
}

// Sentences that arrive later in the form may push it out of sight; whoever scrolls is left alone.
let unseen = false;
function reveal() {
  if (unseen) trouble.scrollIntoView({ block: "nearest" });
}
new ResizeObserver(reveal).observe(element.closest("#train-left"));
for (const kind of ["wheel", "touchmove", "keydown"])
  addEventListener(kind, () => (unseen = false), { passive: true });
const keys = []; // zips uploaded by this page

find(".data").hidden = !props.enabled;
find(".upload").hidden = !props.zips;
find(".hint").textContent = props.zips
  ? gnet.say("zip hint", { megabytes })
  : "";

const show = (part) => gnet.sending.show(progress, part);

function busy(on) {
  find(".upload").disabled = on;
  progress.hidden = !on;
  show(0);
}

async function take(given) {
  if (!given) return;
  if (given.size > megabytes * 1e6) {
    say(gnet.say("zip too large", { given: Math.round(given.size / 1e6), megabytes }));
    return;
  }
  say("");
  busy(true);
  try {
    const answer = await gnet.sending.send("zip", given, show);
    if (answer.error) {
      say(answer.error);
    } else {
      keys.push(answer.key);
      trigger("uploaded", { keys });
    }
  } catch {
    say(gnet.say("upload failed"));
  }
  busy(false);
}

find(".upload").addEventListener("click", () => file.click());
file.addEventListener("change", () => {
  take(file.files[0]);
  file.value = "";
});

// An experiment on one's own pictures leads to the upload.
document.addEventListener("gnet-own-data", () => {
  if (!props.zips || !props.enabled || keys.length) return;
  gnet.lead(find(".upload"), "center");
  find(".upload").focus({ preventScroll: true });
});

// A zip dropped anywhere on the tab belongs here.
document.addEventListener(
  "drop",
  (event) => {
    const given = event.dataTransfer?.files[0];
    if (gnet.state.tab !== "train" || !given || !props.zips || !props.enabled) return;
    event.preventDefault();
    event.stopPropagation();
    take(given);
  },
  true,
);

// A refused preview is explained where the pictures are chosen.
document.addEventListener("gnet-refused-data", ({ detail }) => say(detail));

function look() {
  find(".look").disabled = true;
  document.dispatchEvent(new Event("gnet-looking"));
  trigger("look");
}
find(".look").addEventListener("click", look);
document.addEventListener("gnet-look-data", look);
document.addEventListener("gnet-settled", ({ detail }) => {
  if (detail.what === "data") find(".look").disabled = false;
});
