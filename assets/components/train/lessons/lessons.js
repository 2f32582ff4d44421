// The lessons a run can start from; the chosen one says what to expect and fills the form.
const list = element.querySelector(".list");
const { state } = gnet.train;
const { escape } = gnet;
const lessons = JSON.parse(JSON.stringify(props.lessons));
const more = ({ see, look, before, runs }) =>
  `<small class="more"><b>You will see</b> ${escape(see)}</small><small class="more"><b>Look at</b> ${escape(look)}</small>` +
  `<small class="more before">${escape(before)}</small>` +
  (runs.length > 1 ? `<small class="more names">Starts ${runs.length} runs: ${runs.map(escape).join(" · ")}</small>` : "");
list.innerHTML = lessons
  .map(
    (lesson) =>
      `<button type="button" data-lesson="${escape(lesson.key)}">${escape(lesson.title)}` +
      `<small>${escape(lesson.line)}</small>${more(lesson)}</button>`,
  )
  .join("");
list.addEventListener("click", (event) => {
  const { lesson } = event.target.closest("button")?.dataset ?? {};
  if (lesson) trigger("chosen", { key: lesson });
});
// Only once the form is filled: a start before that starts what is shown.
watch("value", () => {
  const { key } = JSON.parse(props.value);
  gnet.train.choose({ lesson: key });
  gnet.train.tell(["refilled"]);
  gnet.train.formed();
  if (lessons.find((lesson) => lesson.key === key)?.own) document.dispatchEvent(new Event("gnet-own-data"));
});
state.lesson ||= lessons[0]?.key ?? "";

gnet.train.draw(() => {
  for (const button of list.children) {
    const on = button.dataset.lesson === state.lesson;
    button.ariaPressed = String(on);
    for (const part of button.querySelectorAll(".more")) part.hidden = !on;
  }
});
