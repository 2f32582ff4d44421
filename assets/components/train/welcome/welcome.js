// Before any run: what a run shows, and one button that starts the chosen experiment. The other parts
// of the column stand here once there is a run.
const find = (selector) => element.querySelector(selector);
const { state } = gnet.train;
const page = document.documentElement.dataset;
const go = find(".go");

// The same as the form's own button, where somebody looks first.
go.hidden = !props.enabled;
go.addEventListener("click", () => {
  const start = document.querySelector("#start");
  find(".refused").textContent = start.disabled ? document.querySelector("#train-check .said").textContent : "";
  if (start.disabled) return gnet.lead(document.querySelector("#train-left"));
  go.disabled = true;
  setTimeout(() => (go.disabled = false), 2000); // should it have been refused
  start.click();
});

gnet.train.draw((changed) => {
  if (changed("form")) find(".refused").textContent = "";
  if (!state.ready && !state.run && !state.away) return; // nothing is seen until it is known
  const none = state.ready && !state.run;
  page.runs = none ? "none" : "some";
  if (none) page.first = "run";
  const { title, line } = props.experiments.find(({ key }) => key === state.experiment) ?? props.experiments[0];
  go.textContent = gnet.say("start experiment", { title });
  find(".about").textContent = props.enabled ? line : gnet.say("training off");
  find(".takes").textContent = state.takes;
});
