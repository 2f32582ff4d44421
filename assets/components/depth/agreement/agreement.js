// The share of pictures to which two depths give the same first class, for each pair of depths.
const find = (selector) => element.querySelector(selector);
const { escape, percent, say } = gnet;

function show() {
  const over = gnet.over.ready();
  find(".box").innerHTML = "";
  find(".sentence").textContent = over?.sentences.agreement ?? "";
  find(".tip").textContent = over ? say("same tip") : "";
  if (!over) return;
  const names = over.readers.map(({ name }) => name);
  const title = (name) => `<th scope="col" class="${name}">${escape(name)}</th>`;
  const rows = over.agreement.map((row, i) => {
    const cells = row.map((share, k) => `<td style="--share:${share}" data-pair="${i},${k}">${Math.round(100 * share)}</td>`);
    return `<tr><th scope="row" class="${names[i]}">${escape(names[i])}</th>${cells.join("")}</tr>`;
  });
  find(".box").innerHTML = `<table><caption class="sr-only">${escape(say("same caption"))}</caption><thead><tr><td></td>${names.map(title).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function tell({ target }) {
  const pair = target.dataset?.pair?.split(",").map(Number);
  const over = gnet.over.ready();
  if (!pair || !over) return;
  const [one, other] = pair.map((at) => over.readers[at].name);
  find(".tip").textContent = say("same pair", { one, other, share: percent(over.agreement[pair[0]][pair[1]]) });
}
find(".box").addEventListener("pointerover", tell);
find(".box").addEventListener("click", tell);
gnet.draw((changed) => (changed.has("over") || !find("table")) && show(), ["depth"]);
