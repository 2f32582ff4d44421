// A lesson as one sheet to print: shown over the page first, so that one sees what is printed.
const { lessons, say, escape, state } = gnet;
const sheet = document.createElement("dialog");
sheet.id = "worksheet";
document.body.append(sheet);

function ask() {
  const { name } = lessons.state;
  const kept = lessons.lesson().steps.map((_, i) => [i + 1, lessons.given(i + 1)]);
  const answers = Object.fromEntries(kept.filter(([, answer]) => answer !== undefined));
  const question = { lesson: name, picture: state.answer.given, key: state.whole.key, owner: gnet.train?.owner ?? "", answers };
  props.value = JSON.parse(JSON.stringify(question));
  trigger("printed");
}

function row({ step, heading, question, answered }) {
  const asks = question ? `<p>${escape(question.ask)}</p>${options(question, answered)}` : "";
  const told = answered?.sentence ? `<p class="told">${answered.right ? "✓" : "✗"} ${escape(answered.sentence)}</p>` : "";
  return `<li><h3>${step}. ${escape(heading)}</h3>${asks}${told}</li>`;
}
function options({ kind, choices, unit }, answered) {
  const given = answered?.given;
  const name = (one) => choices.find(({ id }) => id === one)?.name ?? one;
  if (kind === "choice") return `<p class="boxes">${choices.map((one) => `<span>${one.id === given ? "☒" : "☐"} ${escape(one.name)}</span>`).join("")}</p>`;
  const hint = kind === "order" ? `<span class="hint">(${choices.map((one) => escape(one.name)).join(", ")})</span>` : "";
  const value = given === undefined ? '<span class="line"></span>' : `<b>${escape(kind === "order" ? given.map(name).join(", ") : given)}</b>`;
  return `<p>${say("worksheet answer")} ${value} ${escape(unit)} ${given === undefined ? hint : ""}</p>`;
}

function show({ title, intro, lines, picture, name, network, score, steps }) {
  sheet.setAttribute("aria-label", `${say("worksheet")}: ${title}`);
  sheet.innerHTML =
    `<div class="bar"><button type="button" class="print">${say("worksheet print")}</button><button type="button" class="shut">${say("worksheet close")}</button></div>` +
    `<article><p class="lines">${lines.map((line) => `<span>${escape(line)}</span>`).join("")}</p>` +
    `<header><img src="${picture}" alt="${escape(name)}"><div><h2>${escape(title)}</h2><p>${escape(intro)}</p>` +
    `<p class="hint">${escape(say("worksheet seen", { name, network }))}${score ? ` · <b>${escape(score)}</b>` : ""}</p></div></header>` +
    `<ol>${steps.map(row).join("")}</ol><p class="reasons"><b>${say("worksheet reasons")}</b><i></i><i></i></p></article>`;
  if (!sheet.open) sheet.showModal();
}

sheet.addEventListener("click", (event) => {
  if (event.target === sheet || event.target.closest(".shut")) sheet.close();
  else if (event.target.closest(".print")) print();
});
watch("value", () => typeof props.value === "string" && show(JSON.parse(props.value)));
document.addEventListener("gnet-worksheet", ask);
