// Under each map: its deletion and insertion curves beside a random order's, and on a press how much
// of it is left in a network whose weights are drawn anew.
const find = (selector) => element.querySelector(selector);
const [section, all] = ["section", ".all"].map(find);
const { why } = gnet;
const { escape, say } = gnet;
let found = null; // the maps
let question = null; // that they answer
let checks = []; // for each map what its check found
let running = -1; // the map whose check is under way
let ticket = "";

const points = (shares, values) => shares.map((x, i) => `${(100 * x).toFixed(2)},${(100 - 100 * values[i]).toFixed(2)}`).join(" ");
const three = (area) => gnet.fixed(area, 3);

function figure(curves, name, label) {
  const [own, random] = [curves[name], curves[`random_${name}`]];
  label = say(label, { own: three(own.area), random: three(random.area) });
  return (
    `<figure><div class="plot"><span class="ends" aria-hidden="true"><i>100&nbsp;%</i><i>0&nbsp;%</i></span><svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${escape(label)}">` +
    `<polyline class="random" points="${points(curves.shares, random.values)}"/><polyline points="${points(curves.shares, own.values)}"/></svg>` +
    `<span class="along" aria-hidden="true"><i>0&nbsp;%</i><i>${escape(say("why along"))}</i><i>100&nbsp;%</i></span></div>` +
    `<figcaption>${gnet.marked(label)}</figcaption></figure>`
  );
}

function left(check) {
  const rows = Object.entries(check.similarities).map(([level, value]) => {
    const size = 50 * Math.abs(value ?? 0);
    const bar = `<b style="left:${value < 0 ? 50 - size : 50}%;width:${size}%"></b>`;
    return `<li><span>${escape(level)}</span><i>${bar}</i><span>${value === null ? "–" : gnet.fixed(value)}</span></li>`;
  });
  return `<p class="found">${escape(check.sentence)}</p><ol aria-label="${escape(say("why similarities"))}">${rows.join("")}</ol>`;
}

function article(card, i) {
  const { curves } = card;
  const done = checks[i];
  const under =
    running === i
      ? `<div class="row"><button type="button" data-end>${say("why end")}</button></div><div class="progress" role="progressbar" aria-label="${escape(say("why checking"))}" aria-valuemin="0" aria-valuemax="100"><i></i></div>`
      : done
        ? left(done)
        : `<div class="row"><button type="button" data-check="${i}" ${running < 0 ? "" : "disabled"}>${say("why redraw")}</button> <span class="say">${escape(card.check)}</span></div>`;
  return (
    `<article><h3>${escape(card.label)} · ${escape(card.target_name)}</h3>` +
    `<div class="pair">${figure(curves, "deletion", "why deletion")}${figure(curves, "insertion", "why insertion")}</div>` +
    `<p class="say">${escape(curves.verdict)} ${escape(say("why parts", { parts: curves.parts }))}</p>${under}</article>`
  );
}

function show() {
  section.hidden = !found;
  if (found) all.innerHTML = found.cards.map(article).join("");
}

all.addEventListener("click", ({ target }) => {
  if (target.matches("[data-end]")) return void server.cancel({ ticket });
  if (!target.matches("[data-check]")) return;
  running = Number(target.dataset.check);
  const card = found.cards[running];
  const options = Object.fromEntries(Object.entries(card.options).filter(([, value]) => value !== ""));
  const asked = { ...question, class: card.target, methods: [card.method], options, classes: 1, ticket: (ticket = why.ticket()) };
  show();
  find("[data-end]").focus();
  setTimeout(() => {
    props.value = asked;
    trigger("checked");
  });
});
document.addEventListener("gnet-explain", () => why.possible() && (question = why.question()));
document.addEventListener("gnet-explained", ({ detail }) => {
  if (running >= 0) server.cancel({ ticket });
  [found, checks, running] = [detail, [], -1];
  show();
});
watch("value", () => {
  if (typeof props.value !== "string" || running < 0) return;
  const given = JSON.parse(props.value);
  if (given.done !== undefined) {
    const bar = find(".progress");
    bar.ariaValueNow = String(Math.round(100 * given.done));
    bar.firstElementChild.style.width = `${100 * given.done}%`;
  } else if (!given.cancelled) {
    checks[running] = given;
  }
});
document.addEventListener("gnet-settled", ({ detail: { what } }) => {
  if (what !== "check_explanation") return;
  running = -1;
  show();
});
gnet.draw(() => {}, ["why"]);
