// Leaving at the first head that is sure: a threshold, who leaves where, and what that costs.
const find = (selector) => element.querySelector(selector);
const [svg, range] = ["svg", "input"].map(find);
const { state, escape, percent, say } = gnet;
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 16, 24, 34];
find(".threshold span").textContent = say("threshold");

function chart() {
  const over = gnet.over.ready();
  if (!over?.rules.length || !svg.clientWidth) return;
  const { rules, costs, readers } = over;
  const [width, height] = [svg.clientWidth, svg.clientHeight];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const alone = Object.entries(costs).map(([head, { macs }]) => [head, macs, readers.find(({ name }) => name === head).top1]);
  const across = [...rules, ...Object.values(costs)].sort((a, b) => a.macs - b.macs);
  const up = [...rules.map(({ top1 }) => top1), ...alone.map(([, , top1]) => top1)];
  const spread = (all) => [Math.min(...all), Math.max(...all)];
  const [[least, most], [low, high]] = [[across[0].macs, across.at(-1).macs], spread(up)];
  const over0 = (value, a, b) => (b > a ? (value - a) / (b - a) : 0.5);
  const x = (macs) => LEFT + (0.04 + 0.92 * over0(macs, least, most)) * (width - LEFT - RIGHT);
  const y = (top1) => TOP + (1 - (0.08 + 0.8 * over0(top1, low, high))) * (height - TOP - BOTTOM);
  const rule = rules[Math.round(100 * state.leave)];
  const lines = [low, (low + high) / 2, high].map((top1) => `<path class="rule" d="M${LEFT} ${y(top1)}H${width - RIGHT}"/><text x="${LEFT - 5}" y="${y(top1) + 4}" text-anchor="end">${(100 * top1).toFixed(1)}</text>`);
  const ends = [[across[0], "start"], [across.at(-1), "end"]].map(([{ macs, counted }, anchor]) => `<text x="${x(macs)}" y="${height - 18}" text-anchor="${anchor}">${counted}</text>`);
  const unit = `<text x="${(LEFT + width) / 2}" y="${height - 3}" text-anchor="middle">${escape(say("macs axis", { size: over.size }))}</text><text x="0" y="12">${escape(say("right axis"))}</text>`;
  const dots = alone.map(([head, macs, top1]) => `<g class="${head}"><circle class="alone" cx="${x(macs)}" cy="${y(top1)}" r="6"/><text class="named" x="${x(macs) + (head === "main" ? -10 : 10)}" y="${y(top1) + 14}" text-anchor="${head === "main" ? "end" : "start"}">${head}</text></g>`);
  const path = rules.map(({ macs, top1 }) => `${x(macs).toFixed(1)} ${y(top1).toFixed(1)}`).join("L");
  svg.innerHTML = `${lines.join("")}${ends.join("")}${unit}<path class="curve" d="M${path}"/>${dots.join("")}<circle class="here" cx="${x(rule.macs)}" cy="${y(rule.top1)}" r="7"/>`;
  svg.setAttribute("aria-label", say("exits chart", { low: percent(low), high: percent(high) }));
}

function look() {
  const over = gnet.over.ready();
  if (!over?.rules.length) return;
  const rule = over.rules[Math.round(100 * state.leave)];
  const heads = Object.keys(over.costs);
  range.value = Math.round(100 * state.leave);
  find("output").textContent = percent(rule.threshold);
  range.setAttribute("aria-valuetext", percent(rule.threshold));
  find(".shares").innerHTML = heads
    .map((head, at) => [head, rule.leaving[at]])
    .filter(([, share]) => share > 0)
    .map(([head, share]) => `<span class="${head}" style="flex:${share} 0 0"></span>`)
    .join("");
  find(".legend").innerHTML = heads.map((head, at) => `<span class="${head}"><i></i>${escape(say("leaves at", { head, share: `${gnet.fixed(100 * rule.leaving[at], 1)}\u00a0%` }))}</span>`).join("");
  find(".sentence").textContent = say(rule.saved > 0 ? "leaving" : "leaving none", {
    threshold: percent(rule.threshold), top1: percent(rule.top1), macs: rule.counted, ms: rule.milliseconds.toFixed(1), saved: percent(rule.saved),
  });
  chart();
}

function show() {
  const over = gnet.over.ready();
  const there = Boolean(over?.rules.length);
  find(".threshold").hidden = !there;
  svg.toggleAttribute("hidden", !there);
  if (!there) find(".shares").innerHTML = find(".legend").innerHTML = find(".sentence").textContent = "";
  find(".note").textContent = over?.sentences.exits ?? "";
  look();
}

range.addEventListener("input", () => gnet.over.put({ leave: Number(range.value) / 100 }));
new ResizeObserver(chart).observe(svg);
gnet.draw((changed) => (changed.has("leave") && !changed.has("over") ? look() : show()), ["depth"]);
