// The questions a run can start from; the one chosen tells what to expect and fills the form.
const list = element.querySelector(".list");
const { state } = gnet.train;
const presets = JSON.parse(JSON.stringify(props.presets));
list.innerHTML = presets
  .map(
    ({ key, title, line, before, runs }) =>
      `<button type="button" data-preset="${gnet.escape(key)}">${gnet.escape(title)}` +
      `<small>${gnet.escape(line)}</small><small class="before">${gnet.escape(before)}</small>` +
      (runs.length > 1
        ? `<small class="names">Starts ${runs.length} runs: ${runs.map(gnet.escape).join(" · ")}</small>`
        : "") +
      "</button>",
  )
  .join("");
list.addEventListener("click", (event) => {
  const { preset } = event.target.closest("button")?.dataset ?? {};
  if (!preset) return;
  gnet.train.choose({ preset });
  trigger("chosen", { key: preset });
});
state.preset ??= presets[0]?.key ?? "";
gnet.train.draw(() => {
  for (const button of list.children) {
    const on = button.dataset.preset === state.preset;
    button.ariaPressed = String(on);
    for (const more of button.querySelectorAll(".before, .names")) more.hidden = !on;
  }
});
