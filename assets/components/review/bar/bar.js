// After a run: how far the review is, which head is looked at, its network, and its files.
const find = (selector) => element.querySelector(selector);
const { state } = gnet.review;
const { percent } = gnet;

find(".explore").addEventListener("click", () => gnet.train.explore(state.run));
find(".heads").addEventListener("click", (event) => {
  const head = event.target.closest("button")?.dataset.head;
  if (head && head !== state.head) gnet.review.turnTo(head);
});

function heads() {
  const { review } = state;
  const untrained = review?.untrained ?? [];
  const kept = document.activeElement?.dataset.head;
  find(".heads").innerHTML = gnet.train.HEADS.filter((head) => review && (head in review.heads || untrained.includes(head)))
    .map((head) => {
      const told = review.heads[head];
      const words = told ? percent(told.accuracy) : "untrained";
      const badge = told ? told.status : "untrained";
      return (
        `<button type="button" data-head="${head}" aria-pressed="${head === state.head}"` +
        ` title="${head}: ${badge}" ${told ? "" : "disabled"}>${head}<small>${words}</small></button>`
      );
    })
    .join("");
  if (kept) find(`.heads [data-head="${kept}"]`)?.focus();
}

function sentence(run) {
  const { review, standing, head } = state;
  if (!run.weights.length) return gnet.say("no network saved");
  if (standing) return standing.said ?? "";
  if (!review) return "";
  return head ? review.heads[head].said : gnet.say("no head trained");
}

function files(run) {
  const kinds = [
    ...run.weights.map((which) => [which, gnet.say("weights file", { which })]),
    ["config", gnet.say("config file")],
    ["events", gnet.say("events file")],
    ["tensorboard", gnet.say("curves file")],
  ];
  find(".files span").innerHTML = kinds
    .map(([kind, words]) => `<a href="download/${run.id}/${kind}" download>${words}</a>`)
    .join("");
}

gnet.review.draw((changed) => {
  const run = state.run && gnet.train.shown()?.run;
  const over = run && !gnet.train.EVER.includes(run.state);
  find("section").hidden = !over;
  if (!over) return;
  find(".explore").hidden = !run.weights.length;
  if (changed("review", "head")) {
    heads();
    find(".say").textContent = sentence(run);
  }
  if (changed("review")) files(run);
});
gnet.review.connect(server);
