// The lessons a run can start from; the chosen one says what to expect and fills the form.
const list = element.querySelector(".list");
const { state } = gnet.train;
const lessons = JSON.parse(JSON.stringify(props.lessons));
list.innerHTML = lessons
  .map(
    ({ key, title, line, before, runs }) =>
      `<button type="button" data-lesson="${gnet.escape(key)}">${gnet.escape(title)}` +
      `<small>${gnet.escape(line)}</small><small class="before">${gnet.escape(before)}</small>` +
      (runs.length > 1
        ? `<small class="names">Starts ${runs.length} runs: ${runs.map(gnet.escape).join(" · ")}</small>`
        : "") +
      "</button>",
  )
  .join("");
list.addEventListener("click", (event) => {
  const { lesson } = event.target.closest("button")?.dataset ?? {};
  if (lesson) trigger("chosen", { key: lesson });
});
// Only once the form is filled: a start before that starts what is shown.
watch("value", () => {
  gnet.train.choose({ lesson: JSON.parse(props.value).key });
  gnet.train.tell(["refilled"]);
  gnet.train.formed();
});
state.lesson ||= lessons[0]?.key ?? "";

const told = document.createElement("p");
told.className = "changed";
told.setAttribute("role", "status");
function changes() {
  const names = state.form?.changed ?? [];
  const some = names.slice(0, 4).join(", ") + (names.length > 4 ? ` and ${names.length - 4} more` : "");
  told.textContent = names.length
    ? `Changed: ${some}. The run no longer answers the lesson’s question.`
    : "";
}

gnet.train.draw(() => {
  for (const button of list.children) {
    if (button === told) continue;
    const on = button.dataset.lesson === state.lesson;
    button.ariaPressed = String(on);
    for (const more of button.querySelectorAll(".before, .names")) more.hidden = !on;
    if (on && button.nextElementSibling !== told) button.after(told);
  }
  changes();
});
