// What the Train tab's components share: the run that is followed, what its events add up to, the
// other runs, and the viewer. Components listen with gnet.train.draw(fn).
gnet.train = (() => {
  const KEY = "gnet-owner";
  const { HEADS, at } = gnet.tracks;
  const EVER = ["running", "queued", "starting", "paused", "stopping"];
  const MOVING = ["running", "starting", "stopping"];
  const state = {
    run: gnet.address.get("run"), // the id of the run shown
    rows: [], // the runs listed, newest first
    queue: { running: 0, waiting: 0, said: "" }, // of the whole server
    over: new Set(), // ids of runs laid over it
    heads: new Set(HEADS), // heads shown on the plots
    zoom: null, // [from, to] in epochs, the same for all plots
    stage: "4b",
    epoch: null, // the epoch whose maps are shown; null for the last
    trouble: "", // why the run cannot be shown
    away: false, // whether the server cannot be reached
    after: "", // what the runs of its experiment have shown
    experiment: "", // the experiment that the form was filled from
    takes: "", // how long the form's run takes here, as far as it is known
    form: null, // the last check of the form: { said, troubles }
    ready: false, // whether the runs have been listed
  };
  // A link to a run shows the run first, also in a single column.
  if (state.run) document.documentElement.dataset.first = "run";
  const tracks = new Map(); // id → what a run's events add up to
  let server = null;

  const owner = (() => {
    let kept = null;
    try {
      kept = localStorage.getItem(KEY);
    } catch {} // storage is switched off: runs can be steered until the page is left
    if (/^[\w-]{32,}$/.test(kept)) return kept;
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    const made = btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (c) => ({ "+": "-", "/": "_" })[c] ?? "");
    try {
      localStorage.setItem(KEY, made);
    } catch {}
    return made;
  })();

  const { tell, draw } = gnet.hearing("gnet-train");

  function choose(changes) {
    const names = Object.keys(changes).filter((name) => state[name] !== changes[name]);
    if (!names.length) return;
    Object.assign(state, changes);
    if (names.includes("run")) {
      Object.assign(state, { zoom: null, epoch: null, trouble: "" });
      if (gnet.state.tab === "train") gnet.remember();
      names.push("track", "zoom", "epoch", "events");
      soon();
    }
    tell(names);
  }
  gnet.words.train = () => ({ tab: "train", ...(state.run && { run: state.run }) });
  addEventListener("popstate", () => {
    const run = new URLSearchParams(location.search).get("run");
    if (run) choose({ run });
  });

  function lay(id, on) {
    state.over[on ? "add" : "delete"](id);
    tell(["over", "events"]);
    soon();
  }

  function take(id, answer) {
    let track = tracks.get(id);
    if (!track || answer.reset) tracks.set(id, (track = gnet.tracks.fresh(id)));
    return gnet.tracks.grow(track, answer);
  }

  // Following: often while something moves, seldom while nothing does, never unseen.
  let timer = null;
  let asking = false;
  let again = false;
  let beats = 0;
  const soon = () => {
    if (asking) again = true;
    else beat();
  };
  async function beat() {
    clearTimeout(timer);
    if (!server || document.hidden || gnet.state.tab !== "train") return;
    asking = true;
    again = false;
    try {
      await follow();
      if (beats++ % 3 === 0 || stale) await list();
      choose({ away: false });
    } catch {
      choose({ away: true }); // the next beat asks again
    }
    asking = false;
    if (again) return beat();
    const moving = MOVING.includes(shown()?.run?.state);
    const waiting = state.rows.some((row) => EVER.includes(row.state));
    timer = setTimeout(beat, moving ? 1000 : waiting ? 1500 : 4000);
  }

  let stale = true;
  async function follow() {
    const names = new Set();
    for (const id of new Set([state.run, ...state.over])) {
      if (!id) continue;
      const track = tracks.get(id);
      const answer = await server.follow({ run: id, since: track?.next ?? 0, owner });
      if (answer.error) {
        state.over.delete(id);
        tracks.delete(id);
        // After deleting a run its owner sees another one.
        if (id === state.run && deleted.has(id)) choose({ run: state.rows.find((row) => row.id !== id)?.id ?? null });
        else if (id === state.run) Object.assign(state, { trouble: answer.error });
        names.add("trouble").add("over");
        continue;
      }
      const [events, moved] = take(id, answer);
      if (events) names.add("events");
      if (moved) stale = true;
      if (id === state.run) names.add("track");
    }
    if (names.size) tell(names);
  }

  async function list() {
    const answer = await server.listed({ owner, also: [state.run, ...state.over].filter(Boolean) });
    if (answer.error) return;
    stale = false;
    const first = !state.ready;
    state.ready = true;
    const { rows, queue } = answer;
    const same = JSON.stringify([rows, queue]) === JSON.stringify([state.rows, state.queue]);
    Object.assign(state, { rows, queue });
    if (first && !state.run && answer.rows.length) {
      state.run = (answer.rows.find((row) => EVER.includes(row.state)) ?? answer.rows[0]).id;
      again = true;
      gnet.remember();
    }
    if (!same || first) tell(["rows", "ready", "run", "track"]);
    await summed();
  }

  // What an experiment's runs have shown is asked for once, when one of them has ended.
  let told = "";
  async function summed() {
    const row = state.rows.find(({ id }) => id === state.run);
    const of = state.rows.filter((other) => row && other.experiment === row.experiment);
    const key = row?.experiment ? [row.id, ...of.map(({ id, state: now }) => id + now)].join() : "";
    if (key === told) return;
    const after = key && !EVER.includes(row.state) ? await server.after({ run: row.id, owner }) : {};
    told = key;
    state.after = after.after ?? "";
    tell(["after"]);
  }

  document.addEventListener("visibilitychange", soon);
  document.addEventListener("gnet", (event) => event.detail.has("tab") && soon());

  function connect(given) {
    server = given;
    soon();
  }

  // After somebody has started or steered a run: look at once.
  const deleted = new Set(); // ids of runs that were deleted here
  function refresh() {
    stale = true;
    soon();
  }

  // A run was started: it is the one to be seen, also where the form stands above it.
  function begun({ run }) {
    choose({ run });
    refresh();
    const bar = document.querySelector("#train-bar");
    const { top } = bar.getBoundingClientRect();
    if (top < 0 || top > innerHeight - 120) gnet.lead(bar);
  }

  // The form has changed: once it rests, it is checked, and then ("form") estimated anew.
  let resting = null;
  function formed() {
    clearTimeout(resting);
    resting = setTimeout(() => tell(["filled"]), 400);
  }
  const sides = () => [owner, state.experiment];
  // A slider's number, while it is typed, may be none of the slider's; left, the field is made one.
  let spans = [];
  const span = (given) => (spans = given);
  const within = (form) => form.map((value, i) => (spans[i] ? Math.min(Math.max(Number(value) || 0, spans[i][0]), spans[i][1]) : value));

  // The tab that shows networks listens to this.
  const explore = (run) => {
    const { pinned } = state.rows.find(({ id }) => id === run) ?? {};
    document.dispatchEvent(new CustomEvent("gnet-explore", { detail: { run, pinned } }));
  };

  const shown = () => tracks.get(state.run);

  // All plots of a run show the same epochs.
  const zooming = { zoomed: () => state.zoom, zoom: (range) => choose({ zoom: range }) };

  return { HEADS, EVER, state, owner, tracks, draw, choose, lay, connect, refresh, begun, formed, sides, span, within, explore, deleted, shown, zooming, at, tell };
})();
