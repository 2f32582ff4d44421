// The lesson that the address names, before anything is drawn: where its step puts the page becomes
// part of the address, and what the step hides is hidden from the first paint on.
window.gnetLesson = (() => {
  const KEY = "gnet-lessons";
  const all = window.gnetLessons;
  const there = new URLSearchParams(location.search);
  const find = (name) => all.find((one) => one.name === name) ?? null;
  const bounded = (step, { steps }) => Math.min(Math.max(1, Math.trunc(step) || 1), steps.length);

  // Lesson → { at, given: { step: { answer, key } } }, in this browser.
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {} // storage is switched off, or holds something else
  const of = (name) => {
    const one = kept[name];
    return one && typeof one === "object" && one.given && typeof one.given === "object" ? one : (kept[name] = { at: 1, given: {} });
  };
  function keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {}
  }

  // `key` is empty for an answer that holds for every picture.
  const hides = (lesson, step, key) => {
    const given = of(lesson.name).given[step];
    return given && (!given.key || given.key === key) ? [] : lesson.steps[step - 1].hide;
  };
  function hide(parts) {
    document.documentElement.dataset.hides = parts.join(" ");
  }

  const lesson = find(there.get("lesson"));
  const step = lesson ? bounded(there.get("step") ?? of(lesson.name).at, lesson) : 1;
  if (lesson) {
    hide(hides(lesson, step, null));
    document.documentElement.classList.add("in-lesson");
    if (!there.has("tab") && !there.has("module")) {
      for (const [name, value] of new URLSearchParams(lesson.steps[step - 1].go)) {
        if (!there.has(name)) there.set(name, value);
      }
    }
    there.set("step", step);
    history.replaceState(history.state, "", `${location.pathname}?${there}`);
  }

  return { all, name: lesson?.name ?? null, step, find, bounded, of, keep, hides, hide };
})();
