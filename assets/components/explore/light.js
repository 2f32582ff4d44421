// Light answers to a picture that is still changing: a stroke, or a camera's frame. One frame is on
// its way at a time and the newest one goes next; meanwhile only the parts that can follow are drawn,
// and everything else stands as it was until the picture is used or left.
gnet.light = (() => {
  const { state } = gnet;
  let kept = null; // what is taken up again where the picture is left
  let next = null; // gives the newest frame, {blob, bitmap}, once its turn comes
  let busy = false;
  let ready = null; // an answer and its frame that are to be drawn

  function begin(kind) {
    const { whole, switches, measured } = state;
    kept = { whole, switches, measured, chosen: state.target };
    const target = kind === "camera" ? null : gnet.target();
    state.light = document.documentElement.dataset.light = kind;
    Object.assign(state, { answer: whole, switches: null, measured: {}, target });
    quiet(true);
    gnet.tell(["answer", "light", "switches", "target", "measured"]);
  }

  function end() {
    if (!state.light) return;
    const { whole, switches, measured, chosen } = kept;
    leave();
    Object.assign(state, { answer: whole, switches, measured, target: chosen });
    gnet.tell(["answer", "light", "switches", "target", "measured"]);
  }

  function leave() {
    state.light = next = ready = null;
    delete document.documentElement.dataset.light;
    quiet(false);
  }

  // Sentences that change ten times a second are not read out; a picture that is not finished has no
  // link and no file, which the header says when it is asked for one.
  function quiet(on) {
    for (const button of document.querySelectorAll("#header :is(.save, .link)")) button.ariaDisabled = on ? "true" : null;
    for (const part of document.querySelectorAll("#belief [aria-live], #branches [aria-live]")) {
      part.ariaLive = on ? "off" : "polite";
    }
  }

  // Another picture has come: the page is about it now. Another tab shows what was explored last.
  document.addEventListener("gnet", ({ detail }) => {
    if (!state.light) return;
    if (state.whole !== kept.whole) leave();
    else if (state.tab !== "explore") end();
    else if (detail.has("stage") && state.light === "touch") again();
  });
  addEventListener("popstate", end, true);

  async function ask({ blob, before }) {
    const about = new URLSearchParams({ module: state.stage, net: state.net, before: before ?? "" });
    let answer;
    try {
      const response = await fetch(`frame?${about}`, { method: "POST", body: blob });
      answer = await response.json();
    } catch {
      answer = { error: gnet.say("no server") };
    }
    return answer;
  }

  let latest = null; // the source that was followed last
  const again = () => latest && follow(latest);

  // Have the frame that `frame` gives answered, after the one on its way. Where `frame` goes on by
  // itself, as a camera does, an answer is drawn while the server computes the next one.
  async function follow(frame, goesOn = () => false) {
    latest = next = frame;
    if (busy) return;
    busy = true;
    const kind = state.light;
    while (next && state.light === kind) {
      const source = next;
      next = null;
      const taken = await source();
      if (!taken) continue;
      const asked = ask(taken);
      paint();
      const answer = await asked;
      if (answer.error) trouble(answer.error);
      else ready = { answer, taken };
      if (goesOn()) next ??= source;
      if (answer.error && next) await new Promise((done) => setTimeout(done, 500));
      if (!next) paint();
    }
    busy = false;
    if (next && state.light) follow(next, goesOn);
  }

  function trouble(sentence) {
    state.trouble = sentence;
    gnet.tell(["trouble"]);
  }

  function paint() {
    if (!ready || !state.light) return;
    const { answer, taken } = ready;
    ready = null;
    if (answer.net !== state.net) return;
    const { whole } = kept;
    const stages = {};
    for (const [stage, { branches, ...rest }] of Object.entries(answer.stages)) {
      const before = whole.stages[stage];
      stages[stage] = { ...before, ...rest, branches: {} };
      for (const [name, one] of Object.entries(branches)) {
        stages[stage].branches[name] = { ...before.branches[name], ...one };
      }
    }
    const grey = gnet.greys(taken.bitmap);
    state.answer = { ...whole, ...answer, stages, key: null, verdict: null, grey, frame: taken };
    state.trouble = "";
    gnet.tell(["answer", "trouble"]);
  }

  // Look at a picture that is finished: explore it, with everything. Its px are taken as they are.
  function use(blob, file, name) {
    const given = new File([blob], file, { type: blob.type });
    document.dispatchEvent(new CustomEvent("gnet-give", { detail: { given, name } }));
  }

  const before = () => kept.whole;

  return { begin, end, follow, again, use, before };
})();
