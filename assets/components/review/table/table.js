// The runs laid over one another: the settings in which they differ, and how each did in the end.
const find = (selector) => element.querySelector(selector);
const { state } = gnet.review;
const { escape, percent } = gnet;

function result(head, run) {
  if (run.untrained.includes(head)) return "untrained";
  const right = run.accuracy[head];
  return right === undefined || right === null ? "–" : percent(right);
}

const row = (name, help, values) =>
  `<tr><th scope="row" title="${escape(help)}">${escape(name)}</th>` +
  `${values.map((value) => `<td class="n">${escape(value)}</td>`).join("")}</tr>`;

gnet.review.draw((changed) => {
  if (!changed("compared")) return;
  find("section").hidden = !state.compared;
  if (!state.compared) return;
  const { rows, runs } = state.compared;
  const names = runs.map((run) => `<th class="n">${escape(run.name)}</th>`);
  find("thead").innerHTML = `<tr><th>setting</th>${names.join("")}</tr>`;
  const help = gnet.say("right of");
  find("tbody").innerHTML =
    rows.map(({ setting, help, values }) => row(setting, help, values)).join("") +
    gnet.train.HEADS.map((head) => row(gnet.say("head right", { head }), help, runs.map((run) => result(head, run)))).join("");
  find(".none").textContent = rows.length ? "" : gnet.say("same settings");
});
