// Which branches are switched, and the answer without and with the switches. The choice is a text,
// as it stands in the address: "4b/5x5=0,4d/pool=mean"; a branch that is on is not in it.
gnet.switching = (() => {
  const { state } = gnet;
  const read = () => Object.fromEntries((state.switches ?? "").split(",").filter(Boolean).map((one) => one.split("=")));
  const write = (all) => Object.entries(all).map((one) => one.join("=")).join(",") || null;
  const of = (stage, branch) => read()[`${stage}/${branch}`] ?? "1";

  function set(stage, branch, setting) {
    const all = { ...read(), [`${stage}/${branch}`]: String(setting) };
    if (String(setting) === "1") delete all[`${stage}/${branch}`];
    gnet.choose({ switches: write(all) });
  }

  // Whether the server's switches are those chosen now; while somebody moves on, they are not.
  function current(switches) {
    const all = Object.entries(read());
    const same = all.every(([name, setting]) => String(switches[name]) === setting);
    return same && all.length === Object.keys(switches).length;
  }

  // An answer of the server: the same picture with branches switched. Its verdict was on the other.
  function overlay({ key, turn, ...after }) {
    if (key !== state.whole.key || !current(after.switched.switches)) return;
    state.answer = { ...state.whole, ...after, verdict: null };
    gnet.tell(["answer"]);
  }

  function restore() {
    if (!state.answer.switched) return;
    state.answer = state.whole;
    gnet.tell(["answer"]);
  }

  return { read, of, set, reset: () => gnet.choose({ switches: null }), overlay, restore };
})();
