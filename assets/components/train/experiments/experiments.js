// The experiments a run can start from; the chosen one says what to expect and fills the form.
const list = element.querySelector(".list");
const { state } = gnet.train;
const { escape } = gnet;
const experiments = JSON.parse(JSON.stringify(props.experiments));
const more = ({ see, look, before, runs }) =>
  `<small class="more"><b>${gnet.say("you will see")}</b> ${escape(see)}</small><small class="more"><b>${gnet.say("look at")}</b> ${escape(look)}</small>` +
  `<small class="more before">${escape(before)}</small>` +
  (runs.length > 1 ? `<small class="more names">${gnet.say("starts runs", { count: runs.length, runs: runs.map(escape).join(" · ") })}</small>` : "");
list.innerHTML = experiments
  .map(
    (experiment) =>
      `<button type="button" data-experiment="${escape(experiment.key)}">${escape(experiment.title)}` +
      `<small>${escape(experiment.line)}</small>${more(experiment)}</button>`,
  )
  .join("");
list.addEventListener("click", (event) => {
  const { experiment } = event.target.closest("button")?.dataset ?? {};
  if (experiment) trigger("chosen", { key: experiment });
});
document.addEventListener("gnet-experiment", ({ detail: key }) => {
  if (key !== state.experiment && experiments.some((one) => one.key === key)) trigger("chosen", { key });
});
// Only once the form is filled: a start before that starts what is shown.
watch("value", () => {
  const { key } = JSON.parse(props.value);
  gnet.train.choose({ experiment: key });
  gnet.train.tell(["refilled"]);
  gnet.train.formed();
  if (experiments.find((experiment) => experiment.key === key)?.own) document.dispatchEvent(new Event("gnet-own-data"));
});
state.experiment ||= experiments[0]?.key ?? "";

gnet.train.draw(() => {
  for (const button of list.children) {
    const on = button.dataset.experiment === state.experiment;
    button.ariaPressed = String(on);
    for (const part of button.querySelectorAll(".more")) part.hidden = !on;
  }
});
