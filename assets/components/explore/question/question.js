// The question that "Ask why" would ask, in words.
gnet.draw(() => {
  const { network, answer, head, stage } = gnet.state;
  const target = gnet.target();
  const line = element.querySelector(".ask");
  if (target === null) {
    line.textContent = `${head} is ${answer.heads[head].status}: there is no belief to explain.`;
    return;
  }
  const chance = gnet.percent(answer.heads[head].probabilities[target]);
  const reach = gnet.reaches(stage)
    ? `Grad-CAM looks at ${stage}.`
    : `${stage} lies behind ${head}: Grad-CAM needs ${network.heads.find((h) => h.name === head).stages.join(", ")}.`;
  line.innerHTML =
    `Why <b>${gnet.escape(network.classes[target])}</b>, which ${head} gives <b>${chance}</b>? ` +
    `<small>Choose a class above, or any the network knows. ${reach}</small>`;
});

// Gradio gives each of its radio buttons a group of its own, so the arrow keys need telling.
document.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step || !event.target.matches?.("fieldset input[type=radio]")) return;
  event.preventDefault();
  const choices = [...event.target.closest("fieldset").querySelectorAll("input[type=radio]")];
  const at = choices.indexOf(event.target);
  const next = choices[(at + step + choices.length) % choices.length];
  next.focus();
  next.click();
});
