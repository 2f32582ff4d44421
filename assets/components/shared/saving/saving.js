// The menu to save what a tab shows: a row for each view, a button for each format.
const find = (selector) => element.querySelector(selector);
const dialog = find("dialog");
const { state } = gnet;
let offered = []; // the rows, as the tab gives them
let busy = false;

function rows() {
  offered = gnet.views[state.tab](props.views);
  find(".rows").innerHTML = offered
    .map(({ view, name, there }, at) => {
      const off = there ? "" : " disabled";
      const buttons = props.formats.map(
        (format) => `<button type="button" data-at="${at}" data-view="${view}" data-format="${format}" aria-label="${gnet.escape(name)} as ${format}"${off}>${format}</button>`,
      );
      return `<div class="one${off ? " none" : ""}"><b>${gnet.escape(name)}</b>${buttons.join("")}</div>`;
    })
    .join("");
  find(".switched").hidden = state.tab !== "explore" || !state.switches;
  find(".state").textContent = offered.length ? "" : gnet.say("save none");
}

function wait(on) {
  busy = on;
  find(".state").textContent = on ? gnet.say("save drawing") : "";
}

document.addEventListener("gnet-save", () => {
  rows();
  dialog.showModal();
});
find(".close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
  const { at, view, format } = event.target.dataset;
  if (!view || busy) return;
  wait(true);
  const { picture = state.answer.given, request } = offered[at];
  trigger("saved", { picture, view, format, request });
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
