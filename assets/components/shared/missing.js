// What the address names and is not here: one sentence says so, and what is shown instead, until
// something else is chosen.
gnet.missing = (() => {
  const { address, state } = gnet;
  const [MOST, LONGEST] = [2, 16];
  let told = false;

  const methods = (names) => names.split(",").every((name) => state.network.known_methods.includes(name));
  // Another network is on its way; it has other classes.
  const elsewhere = () => address.has("net") && !state.answer.instead && gnet.nets.named(address.get("net")) !== state.net;
  // What an address may name → whether it is here, and what is shown instead.
  const KINDS = {
    tab: [(name) => Object.hasOwn(gnet.tabs, name), () => gnet.tabs[state.tab].label],
    picture: [(name) => !gnet.examples || gnet.examples.includes(name), () => state.answer.name],
    module: [(name) => Object.hasOwn(state.answer.stages, name), () => state.stage],
    channel: [(name) => gnet.channelOf(name) !== null, () => gnet.say("branches of", { stage: state.stage })],
    class: [(name) => elsewhere() || state.network.classes.includes(name), () => state.network.classes[gnet.target()] ?? ""],
    head: [(name) => Object.hasOwn(state.answer.heads, name), () => state.head],
    method: [methods, () => state.network.methods.find(({ name }) => name === gnet.method()).label],
  };

  function sentence() {
    if (told || !state.answer) return "";
    const gone = Object.entries(KINDS).filter(([kind, [here]]) => address.has(kind) && !here(address.get(kind)));
    if (!gone.length) return "";
    const named = gone.slice(0, MOST).map(([kind]) => gnet.say("missing one", { kind, name: gnet.cut(address.get(kind), LONGEST) }));
    const more = gone.length > MOST ? gnet.say("missing more", { count: gone.length - MOST }) : "";
    const instead = gone.map(([, [, shown]]) => shown()).filter(Boolean).join(", ");
    return gnet.say("missing", { named: named.join(", ") + more, instead });
  }

  document.addEventListener("gnet-step", () => (told = true));
  return { sentence };
})();
