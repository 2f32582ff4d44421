// The nine modules as a bar that stays at the top of a phone's screen.
const bar = element.querySelector(".bar");

bar.addEventListener("click", (event) => {
  const { module } = event.target.dataset;
  if (module) gnet.choose({ stage: module, branch: null });
});
gnet.draw((changed) => {
  if (!["network", "stage", "answer"].some((what) => changed.has(what))) return;
  const { network, stage } = gnet.state;
  const names = Object.keys(network.modules);
  if (bar.children.length !== names.length) {
    bar.innerHTML = names
      .map((name) => `<button type="button" data-module="${name}">${name}</button>`)
      .join("");
  }
  for (const button of bar.children) {
    button.setAttribute("aria-pressed", String(button.dataset.module === stage));
  }
}, ["explore"], true);
