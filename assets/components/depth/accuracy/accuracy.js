// How often the probe at each module and each head is right, and the mean probability that they give
// to the right class of one class's pictures.
const find = (selector) => element.querySelector(selector);
const [svg, select] = ["svg", "select"].map(find);
const { state, escape, percent, say } = gnet;
const [LEFT, RIGHT, TOP, BOTTOM] = [48, 14, 16, 34];
gnet.over.connect(server);

find(".class span").textContent = say("depth of class");
select.addEventListener("change", () => gnet.over.put({ named: select.value }));

function places(readers) {
  const [width, height] = [svg.clientWidth, svg.clientHeight];
  const stages = [...new Set(readers.map(({ stage }) => stage))];
  const room = width - LEFT - RIGHT;
  const x = (stage) => LEFT + ((stages.indexOf(stage) + 0.5) * room) / stages.length;
  const y = (share) => TOP + (1 - share) * (height - TOP - BOTTOM);
  return { width, height, stages, x, y };
}

function chart() {
  const over = gnet.over.ready();
  if (!over || !svg.clientWidth) return;
  const { readers } = over;
  const { width, height, stages, x, y } = places(readers);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const rules = [0, 0.25, 0.5, 0.75, 1].map((share) => `<path class="rule" d="M${LEFT} ${y(share)}H${width - RIGHT}"/><text x="${LEFT - 6}" y="${y(share) + 4}" text-anchor="end">${100 * share}${share === 1 ? " %" : ""}</text>`);
  const names = stages.map((stage) => `<text x="${x(stage)}" y="${height - 14}" text-anchor="middle">${escape(stage)}</text>`);
  const head = (reader) => reader.name !== reader.stage;
  const at = over.classes.find(({ name }) => name === state.named);
  const values = [readers.map(({ top1 }) => top1), ...(at ? [at.course] : [])];
  const lines = values.map((shares, i) => {
    const points = readers.flatMap((reader, k) => (head(reader) ? [] : [`${x(reader.stage).toFixed(1)} ${y(shares[k]).toFixed(1)}`]));
    return points.length ? `<path class="${i ? "one" : "probes"}" d="M${points.join("L")}"/>` : "";
  });
  const dots = values.flatMap((shares, i) =>
    readers.map((reader, k) => {
      const what = `${reader.name}: ${percent(shares[k])}`;
      const circle = `<circle class="${i ? "hollow" : "dot"}" cx="${x(reader.stage)}" cy="${y(shares[k])}" r="${head(reader) ? 6 : 3.5}"><title>${escape(what)}</title></circle>`;
      if (!head(reader)) return circle;
      const label = i ? "" : `<text x="${x(reader.stage)}" y="${y(shares[k]) + (reader.name === "aux2" ? 20 : -11)}" text-anchor="${reader.stage === stages.at(-1) ? "end" : "middle"}" dx="${reader.stage === stages.at(-1) ? 12 : 0}">${reader.name} ${percent(shares[k])}</text>`;
      return `<g class="head ${reader.name}">${circle}${label}</g>`;
    }),
  );
  svg.innerHTML = rules.join("") + names.join("") + lines.join("") + dots.join("");
  svg.setAttribute("aria-label", say("depth chart", { values: readers.map(({ name, top1 }) => `${name} ${percent(top1)}`).join(", ") }));
  find(".key").textContent = at ? say("depth key of", { name: at.name, count: at.count }) : say("depth key");
}

function show() {
  const over = gnet.over.ready();
  for (const part of [svg, find(".key"), find(".learn")]) part.toggleAttribute("hidden", !over);
  find(".class").hidden = !over;
  find(".about").textContent = over ? over.about : state.over?.said ?? say("asking");
  find(".sentence").textContent = over?.sentences.accuracy ?? "";
  if (!over) return;
  const names = over.classes.map(({ name }) => name).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const none = names.length < state.network.classes.length ? say("no class yet", { count: names.length }) : say("no class");
  select.replaceChildren(new Option(none, ""), ...names.map((name) => new Option(name, name)));
  select.value = names.includes(state.named) ? state.named : "";
  gnet.learning.put(find(".learn"), over.learn);
  chart();
}

new ResizeObserver(chart).observe(svg);
gnet.draw((changed) => {
  if (changed.has("over") || !find(".about").textContent) show();
  else if (changed.has("named")) {
    select.value = state.named;
    chart();
  }
}, ["depth"]);
