// What the heads believe: the main head's classes followed through the depths, and one head's bars.
const find = (selector) => element.querySelector(selector);
const ORDER = ["aux1", "aux2", "main"];
const SHORT = { "trained with the net": "trained", "probe on frozen features": "probe" };
const name = (index) => gnet.state.network.classes[index];

function slope() {
  const { answer } = gnet.state;
  const shown = ORDER.filter((head) => answer.heads[head]);
  const deepest = gnet.trained()[0];
  if (!deepest) {
    find(".slope").innerHTML = "<p class='agree'>No head of this network is trained.</p>";
    return;
  }
  const top = answer.heads[deepest].top;
  const across = Object.fromEntries(ORDER.map((head, i) => [head, 16 + 60 * i]));
  const known = shown.filter((head) => answer.heads[head].top);
  const most = Math.max(
    ...top.flatMap((c) => known.map((head) => answer.heads[head].probabilities[c])),
  );
  const y = (p) => 92 - 78 * (p / most);
  const axes = shown.map(
    (head) =>
      `<path class="axis" d="M${across[head]} 8V94"/>` +
      `<text x="${across[head]}" y="109" text-anchor="middle">${head}</text>`,
  );
  const taken = [];
  const sure = !gnet.doubtful(deepest); // else no class stands out
  const lines = top.map((c, at) => {
    const rank = sure ? at : at + 1;
    const points = known.map((head) => [across[head], y(answer.heads[head].probabilities[c])]);
    const path = points.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L");
    const dots = points.map(
      ([px, py]) => `<circle class="dot" cx="${px}" cy="${py.toFixed(1)}" r="${rank ? 2 : 3.4}"/>`,
    );
    const place = free(points.at(-1)[1], taken);
    return (
      `<g class="${rank ? "" : "first"}"><path class="line" d="M${path}"/>${dots.join("")}` +
      `<text data-class="${c}" class="${rank ? "" : "strong"}" x="${across[deepest] + 9}" y="${place + 4}">` +
      `</text></g>`
    );
  });
  const words = top.map((c) => {
    const steps = known.map((h) => `${h} ${gnet.percent(answer.heads[h].probabilities[c])}`);
    return `${name(c)}: ${steps.join(", ")}`;
  });
  find(".slope").innerHTML =
    `<svg viewBox="0 -10 256 122" role="img" aria-label="${gnet.escape(words.join("; "))}">` +
    `<text x="0" y="0">0 to ${gnet.percent(most)}${sure ? "" : "; the nearest classes"}</text>` +
    `${axes.join("")}${lines.reverse().join("")}</svg>`;
  for (const text of find(".slope").querySelectorAll("[data-class]")) {
    gnet.fit(text, name(text.dataset.class), 256 - text.getAttribute("x"));
  }
}

// The place nearest to `wanted` where a line of text fits.
function free(wanted, taken) {
  const steps = [...Array(40).keys()].flatMap((i) => [wanted + 2 * i, wanted - 2 * i]);
  const at = steps.find((y) => y >= 6 && y <= 92 && taken.every((t) => Math.abs(t - y) >= 13));
  taken.push(at ?? wanted);
  return taken.at(-1);
}

function agreement() {
  const { answer } = gnet.state;
  const known = gnet.trained();
  if (answer.agree === null) {
    return known.length ? `Only ${known[0]} is trained: nothing to compare.` : "";
  }
  const unsure = known.filter(gnet.doubtful);
  if (unsure.length) {
    const who = unsure.length === known.length ? "None of the heads is" : `${listed(unsure)} not`;
    const nearest = name(answer.heads[known[0]].top[0]);
    return `${who} sure what this is; nearest for ${known[0]} is ${nearest}.`;
  }
  const count = known.length === 3 ? "All three heads" : "Both heads";
  if (answer.agree) return `${count} say ${name(answer.heads.main.top[0])}.`;
  const others = known.slice(1).filter((h) => answer.heads[h].top[0] !== answer.heads[known[0]].top[0]);
  return `The heads disagree: ${others.map((h) => `${h} says ${gnet.cut(name(answer.heads[h].top[0]), 24)}`).join(", ")}.`;
}

const listed = (names) =>
  names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are` : `${names[0]} is`;

function heads() {
  const { answer, head, network } = gnet.state;
  find(".heads").innerHTML = ORDER.filter((h) => answer.heads[h])
    .map((h) => {
      const { status, top } = answer.heads[h];
      const { top1 } = network.heads.find((known) => known.name === h);
      const words = top1 ? `${status}; right in ${gnet.percent(top1)} of the validation pictures` : status;
      return (
        `<button type="button" data-head="${h}" aria-pressed="${h === head}" title="${words}"` +
        ` ${top ? "" : "disabled"}>${h}<small>${gnet.doubtful(h) ? "not sure" : SHORT[status] || status}</small></button>`
      );
    })
    .join("");
}

// Why a head is not sure, with the numbers it was decided by.
function reason(head, held) {
  const { score, threshold, false_alarms, detected } = gnet.state.network.heads.find(
    (known) => known.name === head,
  ).sure;
  const show = score === "maximum probability" ? gnet.percent : gnet.number;
  const which = score === "energy of all heads" ? "The heads’ energies together are" : `Its ${score} is`;
  return (
    `<b>${head} is not sure: perhaps no class it knows.</b> The nearest:` +
    `<details><summary>How that was decided</summary>The percentages only compare its classes. ${which} ${show(held.familiarity)}, below ${show(threshold)}, as for ${gnet.percent(false_alarms)} of pictures of known classes and ` +
    `${gnet.percent(detected)} of others.</details>`
  );
}

function bars() {
  const { answer, head, network } = gnet.state;
  const held = answer.heads[head];
  const box = find(".bars");
  const doubt = gnet.doubtful();
  box.className = `bars ${head}${doubt ? " nearest" : ""}`;
  find(".doubt").hidden = !doubt;
  if (!held.top) {
    find(".status").textContent = `${head}: ${held.status}, so it has no belief.`;
    box.innerHTML = "";
    return;
  }
  const most = Math.log(network.classes.length);
  if (doubt) find(".doubt").innerHTML = reason(head, held);
  box.setAttribute("aria-label", `${doubt ? "Nearest" : "Most probable"} classes; choose one to ask why`);
  find(".status").textContent = `${held.status} · entropy ${held.entropy.toFixed(2)} nats`;
  find(".status").title = `0 nats is certainty, ${most.toFixed(2)} nats no idea at all`;
  const target = gnet.target();
  box.innerHTML = held.top
    .map((c) => {
      const p = held.probabilities[c];
      return (
        `<button type="button" data-class="${c}" aria-pressed="${c === target}">` +
        `<span title="${gnet.escape(name(c))}">${gnet.escape(name(c))}</span>` +
        `<i><b style="width:${(100 * p).toFixed(1)}%"></b></i><em>${gnet.percent(p)}</em></button>`
      );
    })
    .join("");
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.head) gnet.choose({ head: button.dataset.head });
  if (button?.dataset.class) gnet.choose({ target: Number(button.dataset.class) });
});
gnet.draw((changed) => {
  if (changed.has("answer")) {
    slope();
    find(".agree").textContent = agreement();
  }
  if (["answer", "head", "target"].some((what) => changed.has(what))) {
    const kept = document.activeElement?.dataset ?? {};
    const inside = element.contains(document.activeElement);
    heads();
    bars();
    if (inside && kept.head) find(`.heads [data-head="${kept.head}"]`)?.focus();
    if (inside && kept.class) find(`.bars [data-class="${kept.class}"]`)?.focus();
  }
});
