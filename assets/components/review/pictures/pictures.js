// The pictures of a review: right ones and wrong ones, surest first, with what each head answered.
const find = (selector) => element.querySelector(selector);
const { state, name } = gnet.review;
const { percent, escape } = gnet;
const isCell = () => state.chosen.truth !== undefined;

function kinds() {
  const told = state.review.heads[state.head];
  const { chosen } = state;
  const parts = [
    [false, "✗ Wrong", told.wrong, "wrong"],
    [true, "✓ Right", told.right, "right"],
  ];
  const kept = element.contains(document.activeElement) ? document.activeElement.dataset.right : undefined;
  find(".kinds").innerHTML = parts
    .map(([right, words, many, hue]) => `<button type="button" class="${hue}" data-right="${right}" aria-pressed="${!isCell() && chosen.right === right}">${words} <small>${many}</small></button>`)
    .join("");
  if (kept) find(`.kinds [data-right="${kept}"]`)?.focus();
}

function tile({ picture, truth, src, heads }) {
  const own = heads[state.head];
  const [answer, sure] = own.top[0];
  const said = Object.entries(heads)
    .reverse()
    .filter(([head]) => head !== state.head)
    .map(([head, { right, top: [[likeliest, p]] }]) => `<li class="${right ? "right" : "wrong"}"><i>${head}</i><span><em>${right ? "✓" : "✗"}</em> ${escape(name(likeliest))}</span><b>${percent(p)}</b></li>`);
  const hue = own.right ? "right" : "wrong";
  const verdict = own.right ? "✓ right" : "✗ wrong";
  const is = own.right ? "" : `<li class="right"><i>truth</i><span>${escape(name(truth))}</span><b>${percent(own.truth)}</b></li>`;
  const names = { truth: name(truth), answer: name(answer), share: percent(sure) };
  const label = gnet.say(own.right ? "seen right" : "seen wrong", names);
  return (
    `<li><button type="button" class="see" data-picture="${picture}" aria-label="${escape(label)}" title="Explore this picture with this network">` +
    `<img src="${src}" alt=""></button>` +
    `<div><p class="verdict ${hue}">${verdict}</p><ul><li class="own"><i>${state.head}</i><span>${escape(name(answer))}</span><b>${percent(sure)}</b></li>` +
    `${is}${said.join("")}</ul></div></li>`
  );
}

find(".kinds").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) gnet.review.choose({ right: button.dataset.right === "true" });
});
find(".tiles").addEventListener("click", (event) => {
  const picture = event.target.closest("button")?.dataset.picture;
  if (picture) gnet.review.explore(state.run, Number(picture));
});
find(".more").addEventListener("click", () => gnet.review.pictures(true));

gnet.review.draw((changed) => {
  const there = state.review && state.head;
  find("section").hidden = !there;
  if (!there) return;
  if (changed("review", "head", "chosen")) kinds();
  find(".tiles").classList.toggle("old", changed("chosen") && !changed("shown"));
  if (!changed("shown", "review")) return;
  const { shown } = state;
  find("h2").textContent = shown?.title ?? gnet.say("review pictures");
  find(".look").textContent = shown ? shown.error ?? shown.said : "…";
  find(".tiles").innerHTML = (shown?.tiles ?? []).map(tile).join("");
  find(".more").hidden = !shown || shown.tiles.length >= shown.count;
});
