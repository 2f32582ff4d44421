// The menu to save what is shown: a row for each view, a button for each format.
const find = (selector) => element.querySelector(selector);
const dialog = find("dialog");
const { state } = gnet;
let busy = false;

// The channel that is open: [branch, number].
const opened = () => /^(\w+)\.(\d{1,5})$/.exec(state.channel ?? "")?.slice(1) ?? [null, null];

// Whether there is something to save of a view.
function present(view) {
  if (view === "channel") return opened()[0] !== null;
  return !["depth", "map", "account", "why"].includes(view) || gnet.target() !== null;
}

function request() {
  const [branch, channel] = opened();
  return {
    stage: state.stage,
    branch,
    channel: channel && Number(channel),
    head: state.head,
    class_index: gnet.target(),
    method: gnet.method(),
    switches: gnet.switching.read(),
  };
}

function rows() {
  find(".rows").innerHTML = Object.entries(props.views)
    .map(([view, name]) => {
      const off = present(view) ? "" : " disabled";
      const buttons = props.formats.map(
        (format) => `<button type="button" data-view="${view}" data-format="${format}" aria-label="${name} as ${format}"${off}>${format}</button>`,
      );
      return `<div class="one${off ? " none" : ""}"><b>${name}</b>${buttons.join("")}</div>`;
    })
    .join("");
  find(".switched").hidden = !state.switches;
}

function wait(on) {
  busy = on;
  find(".state").textContent = on ? "Drawing …" : "";
}

document.addEventListener("gnet-save", () => {
  rows();
  dialog.showModal();
});
find(".close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
  const { view, format } = event.target.dataset;
  if (!view || busy) return;
  wait(true);
  trigger("saved", { view, format, request: request() });
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what !== "saved") return;
  wait(false);
  if (!answered) dialog.close(); // the refusal is behind it
});
watch("value", () => {
  const { url, orig_name } = props.value;
  Object.assign(document.createElement("a"), { href: url, download: orig_name }).click();
});
