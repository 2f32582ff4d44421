// Which branches are switched, the answer without and with the switches, and the steps taken. The
// choice is a text, as it stands in the address: "4b/5x5=0,4d/pool=mean"; a branch that is on is not
// in it.
gnet.switching = (() => {
  const { state } = gnet;
  const [MOST, TOGETHER] = [40, 600]; // steps that are kept; ms within which steps of one slider are one
  const read = () => Object.fromEntries((state.switches ?? "").split(",").filter(Boolean).map((one) => one.split("=")));
  const write = (all) => Object.entries(all).map((one) => one.join("=")).join(",") || null;
  const of = (stage, branch) => read()[`${stage}/${branch}`] ?? "1";
  const word = (setting) => ({ 1: "on", 0: "off", mean: "mean" })[setting] ?? `× ${Number(setting).toFixed(1)}`;

  // Switches in words, as long as the server has not said it: "3×3 of 5a off"; what is no branch as it is.
  function worded(switches) {
    const parts = switches.split(",").map((one) => {
      const [stage, branch, setting] = one.split(/[/=]/);
      return gnet.branches().includes(branch) ? gnet.say("switched", { stage, branch: gnet.label(branch), setting: word(setting) }) : one;
    });
    return parts.length > 3 ? `${parts.slice(0, 3).join(", ")} …` : parts.join(", ");
  }
  const kind = (setting) => ({ 1: "", 0: "off" })[setting] ?? "part"; // how it is drawn

  // Several branches at once: "4b/5x5" → its setting.
  function setAll(settings) {
    const all = { ...read() };
    for (const [name, setting] of Object.entries(settings)) {
      if (String(setting) === "1") delete all[name];
      else all[name] = String(setting);
    }
    gnet.choose({ switches: write(all) });
  }
  const set = (stage, branch, setting) => setAll({ [`${stage}/${branch}`]: setting });

  // Whether the server's switches are those chosen now; while somebody moves on, they are not.
  function current(switches) {
    const all = Object.entries(read());
    const same = all.every(([name, setting]) => String(switches[name]) === setting);
    return same && all.length === Object.keys(switches).length;
  }

  // An answer of the server: the same picture with branches switched.
  function overlay({ key, turn, ...after }) {
    if (key !== state.whole.key || !current(after.switched.switches)) return;
    state.answer = { ...state.whole, ...after };
    const step = steps.all[steps.at];
    if (step.switches === state.switches) step.said = after.switched;
    gnet.tell(["answer"]);
  }

  function restore() {
    if (!state.answer.switched) return;
    state.answer = state.whole;
    gnet.tell(["answer"]);
  }

  // The steps of the picture shown; the first one has every branch on.
  const steps = { key: null, all: [{ switches: null, said: null }], at: 0, since: 0 };
  const keys = (text) => (text ?? "").replace(/=[^,]*/g, "");
  function follow() {
    if (!state.whole || state.light) return;
    const { switches } = state;
    if (steps.key !== state.whole.key) {
      Object.assign(steps, { key: state.whole.key, all: [{ switches: null, said: null }], at: 0, since: 0 });
    }
    const now = steps.all[steps.at].switches;
    if (switches === now) return;
    const next = steps.all[steps.at + 1];
    if (next && next.switches === switches) {
      steps.at += 1;
      return;
    }
    const sliding = steps.at && keys(switches) === keys(now) && performance.now() - steps.since < TOGETHER;
    steps.all.length = steps.at + (sliding ? 0 : 1);
    steps.all.push({ switches, said: null });
    if (steps.all.length > MOST) steps.all.splice(1, 1);
    Object.assign(steps, { at: steps.all.length - 1, since: performance.now() });
  }
  document.addEventListener("gnet", ({ detail }) => {
    if (detail.has("switches") || detail.has("answer")) follow();
  });

  // To a step taken before, or one that was undone.
  function go(at) {
    if (!steps.all[at] || at === steps.at) return;
    steps.at = at;
    gnet.choose({ switches: steps.all[at].switches });
  }

  return { read, of, word, worded, kind, set, setAll, reset: () => gnet.choose({ switches: null }), overlay, restore, steps, go };
})();
