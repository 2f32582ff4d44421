// What a run's events add up to: columns of numbers for the plots, marks, what was looked at. A
// track grows by each answer of the server and is kept thin, however long the run.
gnet.tracks = (() => {
  const HEADS = ["main", "aux2", "aux1"];
  const KEPT = 4000; // steps kept of a run; of longer ones every second, every fourth …

  const fresh = (id) => ({
    id, next: 0, run: null, frame: null, epochs: 1, weights: { main: 1, aux2: 0, aux1: 0 }, every: 1,
    has: HEADS, // the heads there are
    taught: { main: 0, aux2: Infinity, aux1: Infinity }, // from which epoch on a head has learned
    x: [], loss: [], rate: [], speed: [], seconds: [],
    heads: Object.fromEntries(
      HEADS.map((head) => [head, { loss: [], calm: [], right: [], tide: [], part: [] }]),
    ),
    validated: [], marks: [], gradients: [], branches: [], ended: null, memory: {}, seen: 0,
  });

  // How the curves are smoothed: { share, shortest, longest }, as the server has it.
  let smoothing = null;
  const smooth = (given) => (smoothing = { ...given });
  const span = (steps) => Math.min(smoothing.longest, Math.max(smoothing.shortest, smoothing.share * steps));

  const at = (track, step) => (track.frame ? (step / track.frame.steps) * track.epochs : 0);

  // An average over the last steps, right from the first one on, as gnet/runs/smoothing.py defines it;
  // what is no number has no part in it.
  function calmed(track, name, value, over) {
    if (!Number.isFinite(value)) return NaN;
    const kept = (track.memory[name] ??= { sum: 0, weight: 0 });
    const part = 1 - 1 / over;
    kept.sum = kept.sum * part + value * (1 - part);
    kept.weight = kept.weight * part + (1 - part);
    return kept.sum / kept.weight;
  }

  // A loss that has left the numbers arrives as null, and is drawn as a gap, not as 0.
  const told = (value) => value ?? NaN;

  const mark = (track, event, text) => track.marks.push({ x: at(track, event.step), step: event.step, text });

  const TAKEN = {
    RunStarted(track, event) {
      track.frame = event;
    },
    StepDone(track, event) {
      track.ended = null;
      track.last = event;
      const over = span(track.frame?.steps ?? 0);
      // A head that is not trained (yet) has no figures: its columns are kept as long as the others.
      const means = HEADS.map((head) => (head in event.losses ? [
        head,
        calmed(track, `loss ${head}`, told(event.losses[head]), over),
        calmed(track, `right ${head}`, event.accuracy[head], over),
      ] : [head, NaN, NaN]));
      if (track.seen++ % track.every) return;
      track.x.push(at(track, event.step));
      track.loss.push(told(event.loss));
      track.rate.push(event.learning_rate);
      track.speed.push(event.pictures_per_second);
      for (const [head, loss, right] of means) {
        const kept = track.heads[head];
        const known = head in event.losses;
        kept.loss.push(known ? told(event.losses[head]) : NaN);
        kept.calm.push(loss);
        kept.right.push(known ? event.accuracy[head] : NaN);
        kept.tide.push(right);
        kept.part.push(known ? track.weights[head] * loss : 0);
      }
      if (track.x.length > KEPT) thin(track);
    },
    EpochDone: (track, event) => track.validated.push(event),
    GradientsMeasured: (track, event) => track.gradients.push(event),
    BranchesSeen: (track, event) => track.branches.push(event),
    SettingsChanged(track, event) {
      const before = { ...track.weights, rate: track.top };
      Object.assign(track.weights, { aux1: event.aux1_weight, aux2: event.aux2_weight });
      taught(track, at(track, event.step));
      track.top = event.learning_rate;
      const said = [
        before.rate !== track.top && gnet.say("rate set", { value: gnet.number(track.top) }),
        ...["aux2", "aux1"].map((head) => before[head] !== track.weights[head]
          && gnet.say("weight set", { head, value: gnet.number(track.weights[head]) })),
      ].filter(Boolean);
      if (said.length) mark(track, event, said.join(", "));
    },
    RunPaused: (track, event) => mark(track, event, "paused"),
    RunContinued: (track, event) => mark(track, event, "went on"),
    RunResumed(track, event) {
      back(track, event.step);
      track.ended = null;
      mark(track, event, "resumed");
    },
    RunEnded: (track, event) => (track.ended = event),
  };

  function columns(track) {
    const { x, loss, rate, speed } = track;
    return [x, loss, rate, speed, ...HEADS.flatMap((head) => Object.values(track.heads[head]))];
  }

  function thin(track) {
    track.every *= 2;
    for (const column of columns(track)) {
      for (let i = 0; 2 * i < column.length; i++) column[i] = column[2 * i];
      column.length = Math.ceil(column.length / 2);
    }
  }

  // A resumed run goes behind its last checkpoint: what came after no longer holds.
  function back(track, step) {
    const limit = at(track, step);
    for (const head of HEADS) if (track.taught[head] > limit) track.taught[head] = Infinity;
    const count = track.x.filter((x) => x <= limit).length;
    for (const column of columns(track)) column.length = Math.min(column.length, count);
    for (const name of ["validated", "gradients", "branches", "marks"]) {
      track[name] = track[name].filter((event) => event.step <= step);
    }
  }

  // Add an answer's events; whether there were any, and whether the run's state is another.
  function grow(track, answer) {
    if (!track.run) {
      const { config } = answer.run;
      const { aux } = config.model;
      track.epochs = config.epochs;
      track.top = config.learning_rate;
      track.weights = { main: 1, aux2: aux ? config.aux2_weight : 0, aux1: aux ? config.aux1_weight : 0 };
      track.has = aux ? HEADS : ["main"];
      taught(track, 0);
    }
    const moved = !track.run || track.run.state !== answer.run.state;
    track.run = answer.run;
    track.next = answer.next;
    for (const event of answer.events) TAKEN[event.type]?.(track, event);
    return [answer.events.length > 0, moved];
  }

  // A head whose loss has a weight learns, from epoch x on if it did not before.
  function taught(track, x) {
    for (const head of track.has) if (track.weights[head] > 0) track.taught[head] = Math.min(track.taught[head], x);
  }

  // From which epoch on a head's answers are those of a trained one; Infinity for one that is
  // untrained. It may have learned before this run, in the network the run began from.
  function trainedFrom(track, head) {
    const before = track.run?.config.start && track.has.includes(head) && !track.run.untrained.includes(head);
    return before && track.taught[head] === Infinity ? 0 : track.taught[head];
  }

  // The runs on the plots: the one shown, then those laid over it. Their order is how they look.
  const laid = ({ run, over }) => [run, ...[...over].filter((id) => id !== run)].filter(Boolean);

  return { HEADS, fresh, at, grow, smooth, trainedFrom, laid };
})();
