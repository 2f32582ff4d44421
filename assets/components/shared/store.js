// What the page's components share: the tab and the answer shown, and what is chosen in it.
// Components listen with gnet.draw(fn); fn is called with the names of what has changed.
window.gnet = (() => {
  const tabs = window.gnetTabs; // name → label, line, whether it is about the picture, drawings that must be there before it is shown
  const home = Object.keys(tabs)[0];
  const known = (tab) => (Object.hasOwn(tabs, tab ?? "") ? tab : home);
  const SCOPES = ["channel", "module", "network"];
  const LANES = ["share", "worth", "account"];
  const lanes = (there) => (LANES.includes(there.get("lanes")) ? there.get("lanes") : LANES[0]);
  const address = new URLSearchParams(location.search);
  const before = history.state; // what a reload finds again
  const state = {
    tab: null,
    network: null, // what holds for every picture
    net: "", // the run it comes from; none for the network that is served
    answer: null, // what came back for this picture, with branches switched if some are
    whole: null, // the same with every branch on
    switches: address.get("switches"), // the branches switched, as 4b/5x5=0,4d/pool=mean, or null
    lanes: lanes(address), // what the diagram's lanes are coloured by
    worth: null, // the map of what each branch is worth, once it was asked for
    account: null, // what each branch carries of a logit, once it was asked for
    measured: {}, // stage → branch → px, as far as it is known
    stage: address.get("module") || "3a",
    head: address.get("head") || "main",
    target: null, // class number, or null for the head's first
    unknown: "", // the class that the address names, if the network has none of that name
    scope: SCOPES.includes(address.get("scope")) ? address.get("scope") : "module",
    branch: null, // the branch pointed at
    pinned: null, // the branch chosen in a drawing; its card is marked in every module
    cell: null, // the cell of its module pointed at: {stage, row, col}
    channel: address.get("channel"), // the channel that is open, as 5x5.17, or null
    beside: address.get("beside"), // what the lab sets beside the picture, as class:cat, or null
    method: address.get("method"), // how Why is answered, several with commas, or null for the first answer's
    options: address.get("with"), // the methods' options that differ from their defaults, as steps=32&baseline=black
    classes: address.get("classes"), // "two" where Why also asks for the likeliest other class
    road: address.get("branch"), // the branch that Why looks at, or null for the whole module
    place: address.get("place") === "chosen" ? "chosen" : null, // Explore's Why looks at the chosen module, or at the head's last
    waiting: { answer: false, why: false, measured: false },
    light: null, // what is explored lightly: "touch", "camera" or null
    trouble: "", // why its last state was not answered
    camera: "", // why there is no camera, if there is none
  };

  state.tab = known(address.get("tab"));
  let placed = address.has("module"); // whether a module was chosen; until then Why shows the last

  function tell(names) {
    document.dispatchEvent(new CustomEvent("gnet", { detail: new Set(names) }));
  }

  // What is drawn in a tab waits while another one is shown: hidden, it has no size. What cannot
  // follow a picture that is still changing waits until it is finished.
  function draw(fn, shownIn = ["explore"], follows = false) {
    let drawn = false;
    let missed = [];
    const run = (names) => {
      if (!state.answer) return;
      if (!shownIn.includes(state.tab) || (state.light && !follows)) {
        missed.push(...names);
        return;
      }
      fn(drawn ? new Set([...names, ...missed]) : new Set(Object.keys(state)));
      missed = [];
      if (!drawn) arrived(shownIn);
      drawn = true;
    };
    document.addEventListener("gnet", (event) => run(event.detail));
    run([]);
  }

  const drawings = {}; // tab → how many of its drawings are there
  function arrived(names) {
    for (const tab of names) drawings[tab] = (drawings[tab] ?? 0) + 1;
    if (drawings[state.tab] >= tabs[state.tab].drawings) {
      document.documentElement.classList.add("gnet-ready");
    }
  }

  // Tabs: what is in them stays as it is while another is shown.
  const words = { explore, branches: lab, why: reasons }; // tab → what it keeps in the address
  const pictured = () => tabs[state.tab].picture;
  document.documentElement.dataset.tab = state.tab;
  function show(tab, keep = true) {
    if (tab === state.tab) return;
    state.tab = document.documentElement.dataset.tab = tab;
    const afresh = keep && tab === "why" && state.answer && !placed;
    if (afresh) state.stage = last();
    if (keep) push();
    scrollTo(0, 0);
    tell(afresh ? ["tab", "stage"] : ["tab"]);
  }
  const where = () => `${location.pathname}?${new URLSearchParams({ ...words[state.tab](), ...gnet.lessons?.address() })}`;
  const entry = () => ({ given: state.answer?.given ?? before?.given });
  const remember = () => history.replaceState(entry(), "", where());

  function push() {
    history.pushState(entry(), "", where());
    document.dispatchEvent(new Event("gnet-step"));
  }

  // Each choice is one step of the browser's history; the picture goes along.
  function step(was) {
    if (was && where() !== was) push();
  }
  let returning = false; // whether the picture on its way is the one that the address belongs to
  const reopen = () => (returning = true);
  addEventListener("popstate", ({ state: kept }) => {
    const there = new URLSearchParams(location.search);
    show(known(there.get("tab")), false);
    if (!pictured() || !state.answer) return;
    if (kept?.given && JSON.stringify(kept.given) !== JSON.stringify(state.answer.given)) {
      reopen();
      document.dispatchEvent(new CustomEvent("gnet-return", { detail: kept.given }));
    } else {
      change(chosen(there));
    }
  });

  // What an address says was chosen; where it says nothing, what the page opened on.
  let opened = {};
  function chosen(there) {
    const named = state.network.classes.indexOf(there.get("class"));
    const stage = there.get("module") ?? "";
    const head = believed(there.get("head") ?? "") ? there.get("head") : opened.head;
    return {
      stage: Object.hasOwn(state.answer.stages, stage) ? stage : there.get("tab") === "why" ? last(head) : opened.stage,
      head,
      scope: SCOPES.includes(there.get("scope")) ? there.get("scope") : "module",
      target: named < 0 ? null : named,
      unknown: (named < 0 && there.get("class")) || "",
      channel: there.get("channel"),
      method: there.get("method"),
      options: there.get("with"),
      classes: there.get("classes"),
      road: there.get("branch"),
      place: there.get("place") === "chosen" ? "chosen" : null,
      beside: there.get("beside"),
      switches: there.get("switches"),
      lanes: lanes(there),
    };
  }

  function change(changes) {
    const names = Object.keys(changes).filter((name) => state[name] !== changes[name]);
    if (!names.length) return;
    Object.assign(state, changes);
    tell(names);
  }
  function choose(chosen) {
    const changes = "target" in chosen ? { unknown: "", ...chosen } : chosen;
    const was = state.answer && pictured() ? where() : "";
    const names = Object.keys(changes).filter((name) => state[name] !== changes[name]);
    if (!names.length) return;
    placed ||= names.includes("stage");
    Object.assign(state, changes);
    // Switches have steps of their own, to undo; the browser's Back leaves them together.
    if (was && names.every((name) => name === "switches")) remember();
    else step(was);
    tell(names);
  }

  // A class is chosen: Why is shown and asked.
  function ask(target) {
    choose({ target });
    if (!state.light) document.dispatchEvent(new CustomEvent("gnet-ask"));
  }

  // Whether the picture is the viewer's own, which no address names.
  const own = () => Boolean(state.answer?.given?.path);

  function explore() {
    const kept = { module: state.stage, head: state.head, scope: state.scope };
    const { target, answer } = state;
    if (target !== null) kept.class = state.network.classes[target];
    if (answer?.example) kept.picture = answer.example;
    if (answer?.tile) kept.tile = answer.tile;
    if (!own() && answer?.given?.box) kept.square = answer.given.box.join(",");
    if (state.net) kept.net = gnet.nets.inAddress(state.net);
    if (state.channel) kept.channel = state.channel;
    if (state.method) kept.method = state.method;
    if (state.place) kept.place = state.place;
    if (state.switches) kept.switches = state.switches;
    if (state.lanes !== LANES[0]) kept.lanes = state.lanes;
    return kept;
  }

  function lab() {
    const { method, place, channel, scope, ...kept } = explore();
    return { tab: "branches", ...kept, ...(state.beside && { beside: state.beside }) };
  }

  function reasons() {
    const { channel, scope, switches, lanes, place, ...kept } = explore();
    const { options, classes, road } = state;
    return { tab: "why", ...kept, ...(options && { with: options }), ...(classes && { classes }), ...(road && { branch: road }) };
  }

  // Whether an answer is of the picture that the address, or a reload, asks for.
  function meant({ given, example, tile }) {
    if (before?.given?.path) return given?.path === before.given.path;
    const [one, other] = [address.get("tile"), address.get("picture")];
    return one ? tile === one : !other || example === other;
  }
  const picture = ({ given: { box, net, ...picture } = {} }) => JSON.stringify(picture);
  let asked = address.get("class"); // until the picture that it belongs to is there

  // A new answer. Another picture is asked about its own likeliest class.
  function arrive(network, answer) {
    const first = !state.answer;
    const was = first ? "" : where();
    const shown = state.whole?.key;
    const net = answer.net ?? "";
    const other = !first && net !== state.net;
    const anew = !first && picture(answer) !== picture(state.answer);
    const asker = answer.given?.net ?? "";
    const wanted = asker && asker === gnet.nets.named(address.get("net"));
    if (other || anew) Object.assign(state, { target: null, unknown: "" });
    if (other && !wanted) state.channel = null;
    Object.assign(state, { network, net, answer, whole: answer, measured: { ...answer.measured } });
    if (!Object.hasOwn(answer.stages, state.stage)) state.stage = "3a";
    if (!believed()) state.head = trained()[0] || "main";
    if (asked && asker === gnet.nets.named(address.get("net")) && meant(answer)) {
      const named = network.classes.indexOf(asked);
      [state.target, state.unknown, asked] = named < 0 ? [null, asked, null] : [named, "", null];
    }
    if (first && state.tab === "why" && !placed) state.stage = last();
    if (!first && !returning && answer.key !== shown) state.switches = null; // of another picture
    if (first) opened = { stage: state.stage, head: state.head };
    if (returning) Object.assign(state, chosen(new URLSearchParams(location.search)));
    if (first) history.replaceState(entry(), "", location.href);
    else if (pictured()) returning ? remember() : anew ? push() : step(was); // no address tells uploads apart
    returning = false;
    wait("answer", false);
    tell(["answer", "stage", "head", "target", "measured", "switches", ...(other ? ["network", "channel"] : [])]);
  }

  // Look at the picture with another network, or at a picture of a run's review.
  function look(net, tile) {
    document.dispatchEvent(new CustomEvent("gnet-look", { detail: { net, ...(tile && { tile }) } }));
  }

  function trained() {
    return ["main", "aux2", "aux1"].filter(believed);
  }

  function wait(what, on) {
    state.waiting[what] = on;
    document.documentElement.classList.toggle(`waiting-${what}`, on);
    tell(["waiting"]);
  }

  // The server has spoken, with an answer or a refusal.
  function settle(what, answered) {
    if (what === "answer" && !answered) returning = false;
    if (!(what === "answer" && answered)) wait(what, false); // an answer has yet to be drawn
    document.dispatchEvent(new CustomEvent("gnet-settled", { detail: { what, answered } }));
  }

  const believed = (head = state.head) =>
    Object.hasOwn(state.answer.heads, head) ? state.answer.heads[head].top : undefined;
  const doubtful = (head = state.head) => state.answer.heads[head].sure === false;
  const target = () => state.target ?? (state.light === "camera" ? state.answer : state.whole).heads[state.head]?.top?.[0] ?? null;
  const reaches = (stage, head = state.head) =>
    state.network.heads.find((h) => h.name === head).stages.includes(stage);

  // The module that Explore's Why looks at: the last one before the head knows most of classes.
  const last = (head = state.head) => state.network.heads.find((one) => one.name === head).stages.at(-1);
  const looked = () => (state.place ? state.stage : last());

  const method = () => {
    const [name] = (state.method ?? "").split(",");
    return state.network.methods.some((one) => one.name === name) ? name : state.network.first_method;
  };

  // The channel that 5x5.17 names in the chosen module, as {branch, channel}; 5x5 alone names a branch.
  function channelOf(named) {
    const [, branch, digits] = /^(\w+?)(?:\.(\d{1,5}))?$/.exec(named ?? "") ?? [];
    const there = state.answer.stages[state.stage].branches[branch];
    const channel = digits && Number(digits);
    return there && !(channel >= there.channels) ? { branch, channel } : null;
  }

  const label = (branch) => state.network.branches.find((b) => b.name === branch).label;
  const branches = () => state.network.branches.map((b) => b.name);

  return {
    SCOPES, tabs, address, state, ask, method, words, where, own, reopen, show, step, chosen, change, remember, draw, choose, arrive, look, wait, settle, target, believed, doubtful, reaches, last, looked,
    label, branches, tell, trained, channelOf,
  };
})();
