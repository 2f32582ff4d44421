// The lesson that is taken: its step, the answers kept in this browser, and where the page is put.
// The panel listens to "gnet-lesson".
gnet.lessons = (() => {
  const early = window.gnetLesson;
  const { all, find, of } = early;
  const state = { open: Boolean(early.name), name: early.name, step: early.step };
  const lesson = () => find(state.name);
  const tell = () => document.dispatchEvent(new Event("gnet-lesson"));
  const address = () => (state.name ? { lesson: state.name, step: state.step } : {});
  const key = () => gnet.state.whole?.key ?? null;

  // The answer kept of a step, as far as it belongs to the picture shown.
  function given(step = state.step) {
    const kept = of(state.name).given[step];
    return kept && (!kept.key || kept.key === key()) ? kept.answer : undefined;
  }
  const answered = (name) => Object.keys(of(name).given).filter((step) => step <= find(name).steps.length).length;

  function show() {
    document.documentElement.classList.toggle("in-lesson", state.open);
    early.hide(state.name ? early.hides(lesson(), state.step, key()) : []);
    tell();
  }

  // Another lesson or step: one step of the history, and the page goes where the step says.
  function to(name, step) {
    const was = gnet.where();
    Object.assign(state, { open: true, name, step: name ? early.bounded(step, find(name)) : 1 });
    if (name) {
      of(name).at = state.step;
      early.keep();
      place();
    }
    gnet.step(was);
    show();
  }
  // Put the page where the step says; what it does not name is as the page opened.
  function place() {
    const { go } = lesson().steps[state.step - 1];
    if (!go) return;
    const there = new URLSearchParams(go);
    const tab = there.get("tab");
    if (Object.hasOwn(gnet.tabs, tab ?? "")) gnet.show(tab, false);
    const { answer, net } = gnet.state;
    const example = there.get("picture");
    if (example && example !== answer.example) {
      document.dispatchEvent(new CustomEvent("gnet-return", { detail: { example, ...(net && { net }) } }));
    }
    if (gnet.tabs[gnet.state.tab].picture) gnet.change(gnet.chosen(there));
    experiment(go);
  }
  function experiment(go) {
    const chosen = new URLSearchParams(go).get("experiment");
    if (chosen) document.dispatchEvent(new CustomEvent("gnet-experiment", { detail: chosen }));
  }
  function close() {
    const was = gnet.where();
    Object.assign(state, { open: false, name: null, step: 1 });
    gnet.step(was);
    show();
  }

  // An answer, or none any more; one about the picture is kept with it.
  function answer(value, about) {
    const kept = of(state.name);
    if (value === undefined) delete kept.given[state.step];
    else kept.given[state.step] = { answer: value, key: about === "picture" ? key() : "" };
    early.keep();
    show();
  }

  // Whether the answer to the step shown is right, once the server has said so.
  function judge(right) {
    const kept = of(state.name).given[state.step];
    if (!kept || kept.right === right) return;
    kept.right = right;
    early.keep();
  }
  // How a step was answered: "right", "wrong", "kept" before the server has said so, or nothing.
  const judged = (kept) => kept && ({ true: "right", false: "wrong" }[kept.right] ?? "kept");

  addEventListener("popstate", () => {
    const there = new URLSearchParams(location.search);
    const one = find(there.get("lesson"));
    Object.assign(state, { open: Boolean(one), name: one?.name ?? null, step: one ? early.bounded(there.get("step"), one) : 1 });
    show();
  });
  document.addEventListener("gnet", (event) => {
    if (state.name && event.detail.has("answer")) show(); // another picture, other figures
  });

  return { all, state, lesson, address, given, answered, to, place, experiment, close, answer, judge, judged, of };
})();
