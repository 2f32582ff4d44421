// The switches of the chosen module's four branches, and in words what all switches did.
const find = (selector) => element.querySelector(selector);
const rows = find(".rows");
const { switching, state } = gnet;
const SETTINGS = [["1", "On"], ["0", "Off"], ["mean", "Mean"]];
let asked = ""; // the switches and the picture that are wanted
let under = ""; // those that the server was asked for and has not spoken about

function build() {
  rows.innerHTML = gnet
    .branches()
    .map(
      (branch) =>
        `<div class="one b${branch}" data-branch="${branch}"><b>${gnet.label(branch)}</b>` +
        `<span class="set joined" role="group" aria-label="${gnet.label(branch)}">` +
        SETTINGS.map(([value, name]) => `<button type="button" data-set="${value}">${name}</button>`).join("") +
        `</span><label><input type="range" min="0" max="2" step="0.1" aria-label="factor of ${gnet.label(branch)}">` +
        `<output></output></label></div>`,
    )
    .join("");
}

function show() {
  find(".stage").textContent = state.stage;
  for (const row of rows.children) {
    const setting = switching.of(state.stage, row.dataset.branch);
    for (const button of row.querySelectorAll("[data-set]")) {
      button.ariaPressed = String(button.dataset.set === setting);
    }
    const range = row.querySelector("input");
    if (document.activeElement !== range) range.value = setting === "mean" ? 1 : setting;
    row.querySelector("output").textContent = setting === "1" || setting === "0" ? `× ${setting}.0` : switching.word(setting);
  }
  find(".reset").disabled = !state.switches;
}

// Ask the server for the answer with the switches, or take back the one without.
function ask() {
  const { key } = state.whole;
  const words = JSON.stringify([key, state.switches]);
  if (!state.switches) {
    asked = "";
    find(".effect").textContent = "";
    find(".effect").classList.remove("dim");
    switching.restore();
  } else if (words !== asked) {
    asked = words;
    find(".effect").classList.add("dim");
    send();
  }
}

// One question at a time; the one that is wanted by then comes next.
function send() {
  if (under || !asked) return;
  under = asked;
  setTimeout(() => {
    const { key } = state.whole;
    if (!state.switches || state.waiting.answer) return void ([asked, under] = ["", ""]); // about to go
    asked = under = JSON.stringify([key, state.switches]);
    trigger("switched", { key, switches: switching.read() });
  }); // once the page is up
}

rows.addEventListener("click", (event) => {
  const { set } = event.target.dataset;
  if (set) switching.set(state.stage, event.target.closest("[data-branch]").dataset.branch, set);
});
rows.addEventListener("input", (event) => {
  const { branch } = event.target.closest("[data-branch]").dataset;
  switching.set(state.stage, branch, Number(event.target.value));
});
find("[data-reset]").addEventListener("click", switching.reset);
watch("value", () => {
  switching.overlay(JSON.parse(props.value));
  if (!state.answer.switched) return;
  find(".effect").textContent = state.answer.switched.sentence;
  find(".effect").classList.remove("dim");
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what !== "switched") return;
  const again = asked && asked !== under;
  under = "";
  if (again) return send();
  if (answered) return;
  switching.reset(); // what cannot be shown is not left looking as if it were
});
gnet.draw(() => {
  if (!rows.firstChild) build();
  show();
});
// Branches are switched in other tabs, too; one question serves them all.
function follow(changed) {
  if (state.answer && (changed.has("switches") || changed.has("answer"))) ask();
}
document.addEventListener("gnet", ({ detail }) => follow(detail));
follow(new Set(["answer"]));
