// The figures of the shown network over many pictures: asked for when the tab is opened, and again
// while they are being measured. Drawings listen for "over", "leave" and "named".
gnet.over = (() => {
  const { state } = gnet;
  const EVERY = 1500; // ms between two questions while they are measured
  Object.assign(state, {
    over: null, // the figures, or { state, said } while there are none
    leave: Math.min(1, Math.max(0, Number(gnet.address.get("leave") ?? 0.8) || 0)), // the threshold of leaving early
    named: gnet.address.get("of") ?? "", // the class whose line is shown
  });
  let server = null;
  let asked = null; // the network that the figures are of
  let later = 0;

  gnet.words.depth = () => {
    const { method, channel, scope, lanes, switches, ...kept } = gnet.words.explore();
    return { tab: "depth", ...kept, ...(state.named && { of: state.named }), ...(state.leave !== 0.8 && { leave: state.leave }) };
  };

  function put(changes) {
    Object.assign(state, changes);
    if (state.tab === "depth") gnet.remember();
    gnet.tell(Object.keys(changes));
  }

  async function ask() {
    clearTimeout(later);
    const net = (asked = state.net);
    let answer;
    try {
      answer = await server.look_deep({ net });
    } catch {
      answer = { state: "failed", said: gnet.say("no server") };
    }
    if (net !== asked) return; // another network was chosen meanwhile
    put({ over: answer.error ? { state: "failed", said: answer.error } : answer });
    if (["waiting", "looking"].includes(answer.state)) later = setTimeout(() => state.tab === "depth" && ask(), EVERY);
  }

  function connect(functions) {
    server = functions;
    gnet.draw((changed) => {
      if (state.net !== asked || (changed.has("tab") && state.over?.state !== "ready")) ask();
    }, ["depth"]);
  }
  const ready = () => (state.over?.state === "ready" ? state.over : null);
  return { connect, put, ready };
})();
