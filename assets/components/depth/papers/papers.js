// What papers say of the early heads; beside each a figure measured here, or the experiment to run.
const find = (selector) => element.querySelector(selector);
const { escape, say } = gnet;

function here({ said, experiment }) {
  if (said) return escape(said);
  if (!gnet.tabs.train) return escape(say("try elsewhere"));
  return `<a href="?tab=train">${escape(say("try experiment", { name: experiment }))}</a>`;
}

gnet.draw((changed) => {
  if (!changed.has("over")) return;
  const papers = gnet.over.ready()?.papers ?? [];
  element.querySelector("section").hidden = !papers.length;
  find("dl").innerHTML = papers.map((paper) => `<div><dt>${escape(paper.says)}<small>${escape(paper.source)}</small></dt><dd>${here(paper.here)}</dd></div>`).join("");
}, ["depth"]);
