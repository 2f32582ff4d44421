// What each tab offers to save: rows of a view, its name, what the server needs of it, and whether
// there is something yet; `picture` where it is not the one that Explore shows. `names`: tab → the
// views that the server knows, with their names.
gnet.views = (() => {
  const { state } = gnet;

  // The channel that is open: [branch, number].
  const opened = () => /^(\w+)\.(\d{1,5})$/.exec(state.channel ?? "")?.slice(1) ?? [null, null];

  // Whether there is something to save of a view of the picture.
  function there(view) {
    if (view === "channel") return opened()[0] !== null;
    return !["depth", "map", "account", "why", "cams"].includes(view) || gnet.target() !== null;
  }

  function explore(names) {
    const [branch, channel] = opened();
    const request = {
      stage: state.stage,
      branch,
      channel: channel && Number(channel),
      head: state.head,
      class_index: gnet.target(),
      method: gnet.method(),
      switches: gnet.switching.read(),
    };
    const why = { ...request, stage: gnet.looked() }; // the module that the map shown is of
    return Object.entries(names.explore).map(([view, name]) => ({ view, name, request: view === "why" ? why : request, there: there(view) }));
  }

  // Each map that is shown, as it is shown, and those of all branches.
  function why(names) {
    const { cams } = gnet.why;
    const all = cams && { view: "cams", name: names.explore.cams, request: { head: cams.head, class_index: cams.target }, there: true };
    const maps = (gnet.why.found?.cards ?? []).map((card) => {
      const { method, head, target, limit } = card;
      const options = Object.fromEntries(Object.entries(card.options).filter(([, value]) => value !== ""));
      const request = { method, head, class_index: target, options, curves: true, limit: limit || null };
      return { view: "why", name: `${card.label} · ${card.target_name}`, picture: gnet.why.found.picture, request, there: true };
    });
    return all ? [...maps, all] : maps;
  }

  // The figures over many pictures, with the class and the threshold that are chosen.
  function depth(names) {
    const over = gnet.over.ready();
    const request = { net: state.net, class: state.named, leave: state.leave };
    const there = (view) => Boolean(over && (view !== "early" || over.rules.length));
    return Object.entries(names.depth).map(([view, name]) => ({ view, name, request, there: there(view) }));
  }

  return { explore, why, depth };
})();
