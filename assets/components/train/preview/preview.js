// What a run would find: pictures of each class as bars, what is left out, a few as they are seen.
const find = (selector) => element.querySelector(selector);
const [card, found] = [find(".card"), find(".found")];
const { escape } = gnet;
let before = null; // what was shown when a look that was refused began

function open() {
  if (!card.hidden) return;
  card.hidden = false;
  const { top } = card.getBoundingClientRect();
  if (top < 0 || top > innerHeight - 160) gnet.lead(card);
}

document.addEventListener("gnet-looking", () => {
  before = { hidden: card.hidden };
  open();
  find("h2").textContent ||= gnet.say("the pictures");
  find(".busy").textContent = gnet.say("opening pictures");
  found.classList.add("dim");
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what !== "data") return;
  find(".busy").textContent = "";
  found.classList.remove("dim");
  if (!answered && before) card.hidden = before.hidden;
  before = null;
});
find(".close").addEventListener("click", () => {
  card.hidden = true;
  document.querySelector("#train-data .look").focus();
});

function bars(classes) {
  const most = Math.max(1, ...classes.map(({ train, val }) => train + val));
  return classes
    .map(({ name, train, val }) => {
      const part = (n, kind) => `<i class="${kind}" style="width:${((100 * n) / most).toFixed(2)}%"></i>`;
      return (
        `<li><span class="name" title="${escape(name)}">${escape(name)}</span>` +
        `<span class="bar" aria-hidden="true">${part(train, "train")}${part(val, "val")}</span>` +
        `<span class="number">${train.toLocaleString("en")} + ${val.toLocaleString("en")}</span></li>`
      );
    })
    .join("");
}

watch("value", () => {
  const answer = JSON.parse(props.value);
  if (answer.busy) {
    find(".busy").textContent = answer.busy;
    return;
  }
  document.dispatchEvent(new CustomEvent("gnet-refused-data", { detail: answer.refused ?? "" }));
  if (answer.refused) {
    card.hidden = before?.hidden ?? card.hidden;
    return;
  }
  const { title, split, classes, skipped, opened, warnings, rows, columns, side } = answer;
  find("h2").textContent = title;
  find(".split").textContent = split;
  find(".warnings").innerHTML = warnings.map((words) => `<li>${escape(words)}</li>`).join("");
  find(".counts").innerHTML = bars(classes);
  const reasons = Object.entries(skipped);
  find(".out").hidden = !reasons.length;
  find(".skipped").innerHTML = reasons
    .map(([reason, n]) => `<li>${n} of ${opened.toLocaleString("en")} opened: ${escape(reason)}</li>`)
    .join("");
  find(".rows").innerHTML = rows.map((row) => `<span title="${escape(row)}"><b>${escape(row)}</b></span>`).join("");
  const image = find("img");
  image.src = answer.sheet;
  image.style.aspectRatio = `${2 * columns * side} / ${rows.length * side}`;
  image.alt = gnet.say("sheet", { columns, classes: rows.length });
  found.hidden = false;
  open();
});
