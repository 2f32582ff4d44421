// How the parts of a tab hear of each other's changes: a kind of event, told with the names changed.
gnet.hearing = (kind) => {
  function tell(names) {
    document.dispatchEvent(new CustomEvent(kind, { detail: new Set(names) }));
  }

  // fn is called with a function that says whether one of some names has changed; not while another
  // tab is shown.
  function draw(fn) {
    let missed = ["all"];
    const run = (names) => {
      missed.push(...names);
      if (gnet.state.tab !== "train") return;
      const changed = new Set(missed);
      missed = [];
      fn((...wanted) => changed.has("all") || wanted.some((name) => changed.has(name)));
    };
    document.addEventListener(kind, (event) => run(event.detail));
    document.addEventListener("gnet", (event) => event.detail.has("tab") && run([]));
    run([]);
  }

  return { tell, draw };
};
