// One channel opened: its map, its strongest patches, a picture grown for it, one step as a sum.
const find = (selector) => element.querySelector(selector);
const { number, escape } = gnet;
const panel = find(".panel");
let facts = null; // the server’s answer for the open channel
let asked = ""; // the last question
let growing = false;
let turn = 0; // of growing: what an earlier turn still sends is not heeded
let heard = 0; // the last turn that sent something
const PATIENCE = 1000; // ms until a turn that was not heard of is sure to be known to the server
let opener = null; // the tile that opened the panel, to go back to
let over = null; // which pictures the patches are to be from

// The channel chosen, if this network has it: {branch, channel}.
function chosen() {
  const named = gnet.channelOf(gnet.state.channel);
  return named?.channel === undefined ? null : named;
}
const module_ = () => gnet.state.answer.stages[gnet.state.stage];

function title({ branch, channel }) {
  const { offset, channels } = module_().branches[branch];
  const names = { stage: gnet.state.stage, branch: gnet.label(branch), channel, last: channels - 1 };
  return gnet.fill(gnet.state.network.channel.title, { ...names, place: offset + channel, end: module_().channels - 1 });
}

function open(place) {
  const { answer, stage } = gnet.state;
  const question = { stage, ...place, over };
  const words = JSON.stringify([answer.key, question]);
  if (words === asked) return;
  stop();
  const same = facts && facts.stage === stage && facts.branch === place.branch && facts.channel === place.channel;
  asked = words;
  const first = panel.hidden;
  panel.hidden = false;
  panel.className = `panel card b${place.branch}`;
  panel.setAttribute("aria-label", title(place));
  find("h2").textContent = title(place);
  const top = module_().branches[place.branch].top.find((t) => t.channel === place.channel);
  const { grid, field } = module_().branches[place.branch];
  if (top) map(top, grid, field);
  for (const part of [".likes", ".sum", ...(top ? [] : [".answers"]), ...(same ? [] : [".grown"])]) {
    find(part).classList.add("dim");
  }
  if (!same) showPicture(null);
  if (first) opener = document.activeElement.closest("#branches [data-rank], #channels [data-channel]");
  if (first) panel.scrollIntoView({ block: "nearest" });
  trigger("opened", question);
}

// Back to the list of all channels, if it is open, or to the branches.
function back() {
  const listed = document.querySelector("#channels .panel:not([hidden])");
  gnet.choose({ channel: listed ? chosen()?.branch ?? null : null });
}

function close() {
  stop();
  if (panel.hidden) return;
  const { activeElement } = document;
  const lost = panel.contains(activeElement) || activeElement === document.body;
  panel.hidden = true;
  asked = "";
  if (lost && opener?.isConnected) opener.focus({ preventScroll: true });
}

function map(values, grid, field) {
  const { signed } = gnet.state.answer;
  const canvas = find(".map");
  gnet.overlay(canvas, values, grid, field, values.limit, signed);
  gnet.bar(find(".bar"), signed);
  canvas.setAttribute("aria-label", gnet.say("channel map", { low: number(values.low), high: number(values.high) }));
  find(".low").textContent = signed ? `−${number(values.limit)}` : "0";
  find(".high").textContent = signed ? gnet.say("middle", { limit: number(values.limit) }) : number(values.limit);
  const words = gnet.state.network.channel;
  const names = { rows: grid[0], cols: grid[1], zero: words.zero };
  for (const key of ["low", "high", "mean"]) names[key] = number(values[key]);
  find(".ends").textContent = values.limit ? gnet.fill(words.range, names) : "";
  find(".range").textContent = gnet.fill(values.limit ? words.about : words.silent, names);
}

function patches(found) {
  const box = find(".patches");
  const select = find(".over");
  select.hidden = !found || found.overs.length < 2;
  box.innerHTML = "";
  if (!found) {
    find(".seen").textContent = gnet.say("no index");
    return;
  }
  select.innerHTML = found.overs
    .map((data) => `<option${data === found.over ? " selected" : ""}>${escape(data)}</option>`)
    .join("");
  box.innerHTML = found.values
    .map((value, i) => {
      const at = found.values.length > 1 ? (100 * i) / (found.values.length - 1) : 0;
      return `<div class="patch" role="listitem" aria-label="patch ${i + 1}, response ${number(value)}"
        style="background-image:url(${found.strip});background-position:${at}% 0"><span>${number(value)}</span></div>`;
    })
    .join("");
  const { count, side, size, sees } = found;
  const over = found.shipped ? gnet.say("pictures shipped", { count }) : gnet.say("pictures of", { count, over: found.over });
  const part = gnet.say(side < sees ? "patch part" : "patch whole", { sees });
  find(".seen").textContent = found.values.length
    ? gnet.say("patches", { number: found.values.length, over, side, size, part })
    : gnet.say("no patch", { over });
}

function showPicture(picture) {
  find(".visualization").innerHTML = picture ? `<img src="${picture}" alt="picture grown for the channel">` : "none yet";
  find(".growing").hidden = !growing;
  find(".grow").hidden = growing || Boolean(picture);
  find(".how").textContent = gnet.say(picture ? "grown" : "to grow");
}

// Numbers in their places, tinted red above 0 and blue below, as far as they reach.
function table(rows, title, digits) {
  const most = Math.max(...rows.flat().map(Math.abs)) || 1;
  const cell = (x) => {
    const tint = `rgb(${x < 0 ? "33 102 172" : "178 24 43"} / ${Math.round((45 * Math.abs(x)) / most)}%)`;
    return `<td style="background:${tint}">${brief(x, digits)}</td>`;
  };
  const lines = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("");
  return `<table title="${title}"><tbody>${lines}</tbody></table>`;
}
function brief(x, digits = 2) {
  if (x === 0 || Math.abs(x) >= 100) return number(x);
  const text = x.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}
const signed_ = (x) => (x < 0 ? ` − ${brief(-x)}` : ` + ${brief(x)}`);

function sum(step) {
  const [row, col] = step.cell;
  const place = { row: row + 1, column: col + 1, inputs: step.inputs };
  find(".sum h3").textContent = gnet.say(step.pooled ? "cell pooled" : "cell", place);
  find(".terms").innerHTML = step.terms
    .map((term) => `<div class="term"><span>${escape(term.name)}</span>${table(term.patch, "input", 2)}×
      ${table(term.kernel, "kernel", 3)}= <b>${brief(term.sum)}</b></div>`)
    .join("");
  const others = step.inputs - step.terms.length;
  const terms = step.terms.map((t, i) => (i ? signed_(t.sum) : brief(t.sum))).join("");
  const same = brief(step.rectified ? step.value : step.total) === brief(step.recorded);
  const parts = {
    sum: `${terms}${signed_(step.rest)}`,
    others,
    bias: signed_(step.bias),
    total: brief(step.total),
    value: brief(step.value),
    recorded: brief(step.recorded) + (same ? " ✓" : ""),
  };
  find(".total").innerHTML = gnet.say(step.rectified ? "total rectified" : "total", parts);
}

function told(message) {
  if (message.kind === "visualization") {
    heard = Number(message.turn);
    if (!growing || heard !== turn) return;
    growing = message.step < message.steps;
    find("progress").value = message.steps ? message.step / message.steps : 0;
    showPicture(message.picture);
    return;
  }
  const place = chosen();
  if (!place || message.stage !== gnet.state.stage) return;
  if (message.branch !== place.branch || message.channel !== place.channel) return;
  if (message.key !== gnet.state.answer.key) return;
  facts = message;
  for (const part of element.querySelectorAll(".dim")) part.classList.remove("dim");
  map(message.map, message.grid, message.field);
  patches(message.patches);
  sum(message.step);
  if (!growing) showPicture(message.visualization);
}

function stop() {
  if (!growing) return;
  growing = false;
  showPicture(null);
  // Gradio can only cancel what the server has confirmed; before that it would be refused.
  const stopped = turn;
  if (heard === stopped) trigger("stopped");
  else setTimeout(() => stopped === turn && trigger("stopped"), PATIENCE);
}

panel.addEventListener("click", (event) => {
  const { dataset } = event.target;
  const place = chosen();
  if ("close" in dataset) back();
  if ("stop" in dataset) stop();
  if (!place) return;
  if ("grow" in dataset) {
    growing = true;
    turn++;
    find("progress").value = 0;
    showPicture(null);
    trigger("grown", { stage: gnet.state.stage, ...place, turn });
  }
  if (dataset.walk) {
    const count = module_().branches[place.branch].channels;
    const next = (place.channel + Number(dataset.walk) + count) % count;
    gnet.choose({ channel: `${place.branch}.${next}` });
  }
});
find(".over").addEventListener("change", (event) => {
  over = event.target.value;
  const place = chosen();
  if (place) open(place);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || panel.hidden || event.target.closest?.("dialog")) return;
  event.preventDefault();
  back();
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what === "channel" && !answered) asked = "";
});
watch("value", () => told(props.value));
gnet.draw((changed) => {
  if (!["answer", "stage", "channel", "network", "tab"].some((what) => changed.has(what))) return;
  const place = chosen();
  if (place) open(place);
  else close();
});
