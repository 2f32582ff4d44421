// Pictures that an early head gets right and the main head wrong; each opens in Explore.
const find = (selector) => element.querySelector(selector);
const { escape, say } = gnet;

function tile({ truth, said, src, tile: name, heads }) {
  const rows = Object.entries(said).map(([head, words]) => {
    const right = heads[head].right;
    return `<dt>${head}</dt><dd class="${right ? "right" : "wrong"}">${right ? "✓" : "✗"} ${escape(words)}</dd>`;
  });
  return (
    `<li><button type="button" class="see" data-tile="${escape(name)}" aria-label="${escape(say("open picture", { name: truth }))}"><img src="${src}" alt="" width="84" height="84"></button>` +
    `<div><b>${escape(truth)}</b><dl>${rows.join("")}</dl></div></li>`
  );
}

find(".tiles").addEventListener("click", ({ target }) => {
  const name = target.closest("[data-tile]")?.dataset.tile;
  if (!name) return;
  gnet.look(gnet.state.net, name);
  gnet.show("explore");
});

gnet.draw((changed) => {
  if (!changed.has("over")) return;
  const over = gnet.over.ready();
  find(".sentence").textContent = over?.sentences.early ?? "";
  find(".tiles").innerHTML = (over?.gallery ?? []).map(tile).join("");
  find(".note").textContent = over?.gallery.length ? say("gallery", { count: over.gallery.length }) : "";
}, ["depth"]);
