// What the components of a review share: the review of the run shown, the head and the pictures
// chosen in it. Components listen with gnet.review.draw(fn).
gnet.review = (() => {
  const PAUSE = 700; // ms between two questions how far a review is
  const fresh = () => ({
    review: null, // what came back for the run shown
    standing: null, // how far it is, or why there is none
    head: null,
    chosen: { right: false }, // which pictures: right or wrong ones, or those of a cell
    shown: null, // those that were sent: { count, tiles }
  });
  const state = { run: null, compared: null, ...fresh() };
  let server = null;
  let timer = null;
  let turn = 0;

  const { tell, draw } = gnet.hearing("gnet-review");

  const ended = (run) => run && !gnet.train.EVER.includes(run.state);

  // The run shown is another one, has ended, or goes on.
  let known = "";
  function follow() {
    const run = gnet.train.shown()?.run;
    const now = run ? `${gnet.train.state.run} ${run.state} ${run.step} ${run.weights}` : "";
    const settled = ended(run) ? now : (run ? `${gnet.train.state.run} under way` : "");
    if (settled === known) return;
    known = settled;
    clearTimeout(timer);
    turn++;
    Object.assign(state, fresh(), { run: run ? gnet.train.state.run : null });
    tell(["review", "chosen", "shown"]);
    if (ended(run) && run.weights.length) ask(turn);
  }

  async function ask(mine) {
    let answer;
    try {
      answer = await server.look({ run: state.run });
    } catch {
      answer = { state: "waiting", said: "" }; // the server is away for a moment
    }
    answer ??= { state: "failed", said: gnet.say("server failed") };
    if (mine !== turn) return;
    if (answer.state === "ready") {
      const { review } = answer;
      const head = Object.keys(review.heads)[0] ?? null;
      Object.assign(state, { review, head, standing: null });
      state.chosen = { right: head !== null && !review.heads[head].wrong };
      tell(["review"]);
      return pictures();
    }
    state.standing = answer.error ? { state: "failed", said: answer.error } : answer;
    tell(["review"]);
    if (["waiting", "looking"].includes(answer.state)) timer = setTimeout(() => ask(mine), PAUSE);
  }

  // Ask for the pictures chosen, or for more of them.
  let asked = 0;
  async function pictures(more = false) {
    if (!state.head) return;
    const mine = ++asked;
    const { run, head, chosen } = state;
    const start = more ? state.shown.tiles.length : 0;
    if (!more) tell(["chosen"]);
    let answer;
    try {
      answer = await server.pictures({ run, head, start, ...chosen });
    } catch {
      answer = { error: gnet.say("server silent") };
    }
    if (mine !== asked || run !== state.run) return;
    answer ??= { error: gnet.say("server silent") };
    if (answer.error) state.shown = { count: 0, tiles: [], error: answer.error };
    else state.shown = { ...answer, tiles: more ? [...state.shown.tiles, ...answer.tiles] : answer.tiles };
    tell(["shown"]);
  }

  function choose(chosen) {
    state.chosen = chosen;
    pictures();
  }

  function turnTo(head) {
    state.head = head;
    tell(["head"]);
    pictures();
  }

  // What the runs on the plots differ in.
  let compared = "";
  async function differ() {
    const runs = gnet.tracks.laid(gnet.train.state);
    const ends = runs.map((id) => gnet.train.tracks.get(id)?.run?.epochs_done);
    const now = [...runs, ...ends].join(" ");
    if (now === compared || !server) return;
    compared = now;
    let answer = {};
    try {
      if (runs.length > 1) answer = await server.differ({ runs });
    } catch {
      compared = ""; // asked again when something changes
    }
    if (compared && now !== compared) return;
    state.compared = answer.rows ? answer : null;
    tell(["compared"]);
  }

  function connect(given) {
    server = given;
    gnet.train.draw(() => {
      follow();
      differ();
    });
  }

  // Explore the run's network, with one of its validation pictures: the one given, the first of its
  // review, or the one that the run has watched.
  function explore(run, picture) {
    gnet.look(run, picture === undefined ? "" : `${run}.${picture}`);
    gnet.show("explore");
  }
  document.addEventListener("gnet-explore", async ({ detail: { run, pinned } }) => {
    let review = run === state.run ? state.review : null;
    if (!review) ({ review } = await server.look({ run }).catch(() => null) ?? {});
    explore(run, review ? review.first : pinned ? "pinned" : undefined);
  });

  const name = (index) => state.review.classes[index];
  return { state, draw, choose, turnTo, pictures, connect, explore, name };
})();
