// Up to four maps over the picture; those of one method share a scale.
const find = (selector) => element.querySelector(selector);
const [shown, cards, slider] = [".shown", ".cards", ".over input"].map(find);
const { why } = gnet;
const { escape, number } = gnet;
let asked = ""; // the question on its way, as text
let picture = null; // that it is about
let ticket = "";
let next = false; // whether it is asked once more when the one on its way has ended

function ask() {
  if (!why.possible()) return;
  if (asked) {
    next = true;
    return cancel();
  }
  const question = { ...why.question(), ticket: (ticket = why.ticket()) };
  asked = why.words();
  picture = question.picture;
  why.tell("gnet-explaining", { done: 0 });
  setTimeout(() => {
    props.value = question;
    trigger("explained");
  });
}
function cancel() {
  if (asked) server.cancel({ ticket });
}

function table(card) {
  const heads = gnet.branches().map((b) => `<th scope="col" class="b${b}">${gnet.label(b)}</th>`);
  const stages = [...new Set(Object.keys(card.cells).map((name) => name.split("/")[0]))];
  const cell = (name) => {
    const colour = gnet.colour(card.cells[name], card.limit, true);
    return `<td style="background:${colour};color:${gnet.cells.ink(colour)}">${gnet.fixed(card.cells[name])}</td>`;
  };
  const rows = stages.map((stage) => `<tr><th scope="row">${stage}</th>${gnet.branches().map((b) => cell(`${stage}/${b}`)).join("")}</tr>`);
  return `<div class="view cells"><table><tr><td></td>${heads.join("")}</tr>${rows.join("")}</table></div>`;
}

function article(card) {
  const title = gnet.say("why map", { label: card.label, class: card.target_name, chance: gnet.percent(card.chance), head: card.head });
  const picture = `<div class="view"><img src="${gnet.state.answer.picture.square}" alt=""><canvas class="map" role="img" aria-label="${escape(title)}"></canvas></div>`;
  const most = number(card.limit);
  return (
    `<article><h3>${escape(title)}</h3>${card.cells ? table(card) : picture}` +
    `<div class="scale"><span>${card.signed ? `−${most}` : "0"}</span><canvas class="bar" role="img" aria-label="${escape(gnet.say("why scale"))}"></canvas><span>${most}</span></div>` +
    `<p class="finding">${gnet.marked(card.finding)}</p>` +
    `<p class="sentence">${gnet.marked(card.sentence)} ${escape(card.range)}</p></article>`
  );
}

function show() {
  shown.hidden = !why.found;
  if (!why.found) return;
  cards.innerHTML = why.found.cards.map(article).join("");
  [...cards.children].forEach((one, i) => {
    const card = why.found.cards[i];
    gnet.bar(one.querySelector(".bar"), card.signed);
    if (!card.cells) gnet.paint(one.querySelector(".map"), { data: card.map, limit: card.limit }, card.size, card.limit, card.signed);
  });
  opacity();
}
function opacity() {
  for (const map of cards.querySelectorAll(".map")) map.style.opacity = slider.value / 100;
}
const stale = () => cards.classList.toggle("dim", Boolean(why.found) && why.possible() && why.answered !== why.words());

slider.addEventListener("input", opacity);
document.addEventListener("gnet-explain", ask);
document.addEventListener("gnet-explain-cancel", () => {
  next = false;
  cancel();
});
watch("value", () => {
  if (typeof props.value !== "string") return; // the question itself
  const given = JSON.parse(props.value);
  if (given.done !== undefined) return why.tell("gnet-explaining", { done: given.done });
  if (given.cancelled) return;
  why.found = { ...given, picture };
  why.answered = asked;
  why.shown = true;
  show();
  stale();
  why.tell("gnet-explained", why.found);
});
document.addEventListener("gnet-settled", ({ detail: { what } }) => {
  if (what !== "explain_picture") return;
  asked = "";
  why.tell("gnet-explaining", { done: null });
  if (!next) return;
  next = false;
  ask();
});
gnet.draw(stale, ["why"]);
