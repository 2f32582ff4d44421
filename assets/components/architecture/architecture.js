// What the parts of the Architecture tab share: the preset, the input's size, the head and the block
// chosen, and what came back. The network and the module are those of the whole page.
gnet.plan = (() => {
  const HEADS = ["aux1", "aux2", "main"];
  const size = (there) => (/^\d{2,3}$/.test(there.get("size") ?? "") ? Number(there.get("size")) : null);
  const head = (there) => (HEADS.includes(there.get("until")) ? there.get("until") : "");
  const read = (there) => ({ preset: there.get("preset") ?? "", size: size(there), head: head(there) });
  const state = { ...read(gnet.address), block: "", shown: null };

  gnet.words.architecture = () => ({
    tab: "architecture",
    module: gnet.state.stage,
    ...(gnet.state.net && { net: gnet.nets.inAddress(gnet.state.net) }),
    ...(state.preset && { preset: state.preset }),
    ...(state.size && { size: state.size }),
    ...(state.head && { until: state.head }),
  });

  // Names of what has changed are told with "plan" before them.
  function change(changes, keep = true) {
    const names = Object.keys(changes).filter((name) => state[name] !== changes[name]);
    if (!names.length) return;
    Object.assign(state, changes);
    if (keep && gnet.state.tab === "architecture") gnet.remember();
    gnet.tell(names.map((name) => `plan ${name}`));
  }
  addEventListener("popstate", () => {
    const there = new URLSearchParams(location.search);
    if (there.get("tab") === "architecture") change(read(there), false);
  });

  // What goes to the server, whatever is asked about the network.
  const question = (more = {}) => ({ net: state.preset ? "" : gnet.state.net, preset: state.preset, ...more });
  // Whether an answer is about what is chosen now.
  const meant = (answer) => answer.preset === state.preset && (answer.preset || (answer.net ?? "") === gnet.state.net);

  return { state, change, question, meant };
})();
