// Table 1: the paper's columns beside the live network's. Marks lead to the reasons below; a line
// opens into its units.
const find = (selector) => element.querySelector(selector);
const body = find("tbody");
const open = new Set();
const { state } = gnet.plan;
const point = (id) => state.shown.differences.findIndex((one) => one.id === id);

// The numbers of a cell's reasons, as links to them.
function marks({ why }) {
  const numbers = why.map(point).filter((at) => at >= 0).sort((a, b) => a - b);
  return numbers
    .map((at) => `<a class="mark" href="#plan-point-${at + 1}" data-point="${at}" aria-label="${gnet.say("plan reason", { number: at + 1 })}">${at + 1}</a>`)
    .join("");
}

// What the paper has and what the network has: once where they agree.
function cell(one, name) {
  const differs = one.paper !== one.live && one.paper;
  const quoted = differs ? `<s>${one.paper}</s> ` : "";
  return `<td class="${name}${one.why.length ? " differs" : ""}">${quoted}${one.live}${marks(one)}</td>`;
}
const pair = (one) =>
  `<td class="number quoted">${one.paper}</td><td class="number${one.why.length ? " differs" : ""}" title="${one.live}">${gnet.escape(one.short ?? one.live)}${marks(one)}</td>`;

function line(row) {
  const opened = open.has(row.layer);
  const name = gnet.escape(row.type);
  const head = row.units.length
    ? `<button type="button" data-row="${row.layer}" aria-expanded="${opened}">${name}</button>`
    : name;
  const module = row.stage ? ` data-stage="${row.stage}"` : "";
  const cells = [cell(row.patch, ""), cell(row.output, ""), ...row.widths.map((one, i) => cell(one, `number w${i}`)), pair(row.weights), pair(row.macs), cell(row.field, ""), `<td class="number">${row.stride}</td>`];
  return `<tr class="${row.layer}"${module}><th scope="row">${head}</th>${cells.join("")}</tr>${opened ? row.units.map(unit).join("") : ""}`;
}

function unit(one) {
  const numbers = [one.weights, one.macs].map((value, i) => `<td class="number" colspan="2">${value ?? ""}${i === 0 && one.parameters ? ` <small>${gnet.say("plan with norm", one)}</small>` : ""}</td>`);
  return (
    `<tr class="unit${one.branch ? ` b${one.branch}` : ""}"><th scope="row">${one.unit}</th><td>${one.patch}</td><td>${one.output ?? ""}</td>` +
    `<td colspan="6"></td>${numbers.join("")}<td>${one.field}</td><td class="number">${one.stride}</td></tr>`
  );
}

function draw() {
  const { shown } = state;
  const widths = shown.widths.map((name) => `<th scope="col" class="number">#${name}</th>`);
  const two = (name) => `<th scope="col" class="number quoted">${gnet.say("plan paper", { name })}</th><th scope="col" class="number">${name}</th>`;
  find("thead").innerHTML =
    `<tr><th scope="col">${gnet.say("plan type")}</th><th scope="col">${gnet.say("plan patch")}</th><th scope="col">${gnet.say("plan output")}</th>${widths.join("")}` +
    `${two(gnet.say("plan weights"))}${two(gnet.say("plan macs"))}<th scope="col">${gnet.say("plan field")}</th><th scope="col" class="number">${gnet.say("plan stride")}</th></tr>`;
  find(".key").textContent = gnet.say("plan key", shown);
  body.innerHTML = shown.rows.map(line).join("");
  find(".points").innerHTML = shown.differences
    .map((one, at) => `<li id="plan-point-${at + 1}" data-at="${at}" tabindex="-1">${gnet.escape(one.sentence)} <a href="${one.address}" target="_blank" rel="noopener noreferrer">${gnet.escape(one.link)}</a></li>`)
    .join("");
  choose();
}

function choose() {
  for (const row of body.querySelectorAll("[data-stage]")) row.classList.toggle("chosen", row.dataset.stage === gnet.state.stage);
}

element.addEventListener("click", (event) => {
  const { row, point: at, save } = event.target.dataset;
  if (save) document.dispatchEvent(new CustomEvent("gnet-plan-save", { detail: save }));
  if (row) {
    if (!open.delete(row)) open.add(row);
    draw();
    body.querySelector(`[data-row="${row}"]`).focus();
    const stage = body.querySelector(`.${row}`)?.dataset.stage;
    if (stage) gnet.choose({ stage });
  }
  if (at === undefined) return;
  event.preventDefault();
  const reason = find(`[data-at="${at}"]`);
  reason.scrollIntoView({ block: "nearest" });
  reason.focus();
});
gnet.draw((changed) => {
  if (!state.shown) return;
  find("section").classList.toggle("dim", !gnet.plan.meant(state.shown));
  if (changed.has("plan shown")) draw();
  else if (changed.has("stage")) choose();
}, ["architecture"], true);
