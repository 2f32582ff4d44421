// A map of each method over the picture, and the words of the one that is chosen: its range and the
// number that could prove it wrong.
const find = (selector) => element.querySelector(selector);
const { escape, number, say, reasons } = gnet;
const painted = new WeakMap(); // canvas → the answer that it shows

const methods = () => gnet.state.network.methods;
const at = (name) => find(`[data-method="${name}"]`);
const title = ({ label, target_name: target, head }) => say("why title", { label, class: target, head });
const elsewhere = (found) => found.key !== gnet.state.answer.key || (found.net ?? "") !== (gnet.state.answer.net ?? "");

function build() {
  const rows = methods().map(
    ({ name, label, slow }) => `
      <div class="method" data-method="${name}">
        <label><input type="radio" name="why-method" value="${name}">${escape(label)}</label>
        <div class="view"><canvas class="map" role="img"></canvas>${slow ? '<div class="state" hidden></div>' : `<p class="empty" aria-hidden="true">${escape(say("why empty", { label }))}</p>`}</div>
      </div>`,
  );
  find(".methods").innerHTML = `<legend>${escape(say("why method"))}</legend>${rows.join("")}`;
  const state = find(".state");
  if (!state) return;
  state.innerHTML =
    `<p></p><div class="progress" role="progressbar" aria-label="${escape(say("why computing"))}" aria-valuemin="0" aria-valuemax="100"><i></i></div>` +
    '<button type="button" data-compute></button>';
}

function paint(method) {
  const found = reasons.of(method.name);
  const canvas = at(method.name).querySelector("canvas");
  at(method.name).classList.toggle("stale", !reasons.answered(method));
  at(method.name).querySelector(".empty")?.toggleAttribute("hidden", Boolean(found));
  canvas.ariaLabel ??= say("why empty", { label: method.label });
  if (!found) return;
  canvas.ariaLabel = title(found);
  if (elsewhere(found) || painted.get(canvas) === found) return;
  const { size } = gnet.state.answer.picture;
  gnet.overlay(canvas, { data: found.map, limit: found.limit }, [size, size], [1, 1, 0], found.limit, found.signed, true);
  painted.set(canvas, found);
}

function words(method) {
  const found = reasons.of(method.name);
  find(".found").classList.toggle("stale", !reasons.answered(method));
  find(".words").classList.toggle("none", !found);
  find("h3").textContent = found ? title(found) : method.label;
  find(".finding").innerHTML = found ? gnet.marked(found.finding) : "";
  find(".sentence").innerHTML = gnet.marked(method.sentence);
  find(".range").innerHTML = found ? gnet.marked(found.range) : "";
  if (!found) return;
  gnet.bar(find(".bar"), found.signed);
  const most = number(found.limit);
  find(".from").textContent = found.signed ? `−${most}` : "0";
  find(".to").textContent = found.signed ? say("middle", { limit: most }) : most;
}

function show() {
  if (!find(".method")) build();
  const chosen = methods().find(({ name }) => name === gnet.method());
  at(chosen.name).querySelector("input").checked = true;
  for (const method of methods()) paint(method);
  words(chosen);
}

// In the place of the slow map, until it is there: what it takes, how far it is, and a way to end it.
function computing({ kind, done, before }) {
  const state = find(".state");
  if (!state) return;
  const slow = methods().find((one) => one.slow);
  const { why } = gnet.state.network;
  const takes = gnet.fill(slow.time ? why.slow : why.unmeasured, { method: slow.label, time: slow.time });
  const also = { idle: say("why begins"), going: before ? say("why waits", { before }) : "", stopped: say("why stopped") }[kind] ?? "";
  state.hidden = !kind;
  state.dataset.kind = kind;
  state.firstElementChild.textContent = kind === "stopped" ? also : `${takes} ${also}`.trim();
  const bar = state.querySelector(".progress");
  bar.ariaValueNow = String(Math.round(100 * done));
  bar.firstElementChild.style.width = `${100 * done}%`;
  state.querySelector("button").textContent = say(kind === "going" ? "why stop" : "why compute");
}

element.addEventListener("change", ({ target }) => gnet.choose({ method: target.value }));
element.addEventListener("click", ({ target }) => {
  if (!target.matches("[data-compute]")) return;
  const on = find(".state").dataset.kind !== "going";
  document.dispatchEvent(new CustomEvent("gnet-compute", { detail: { on } }));
});
document.addEventListener("gnet-computing", ({ detail }) => find(".method") && computing(detail));
document.addEventListener("gnet-found", () => gnet.state.tab === "explore" && show());
watch("value", () => {
  const given = JSON.parse(props.value);
  if (given.done === undefined) reasons.take(given);
});
gnet.draw((changed) => {
  const { why } = gnet.state.answer;
  if (changed.has("answer") && why) reasons.take(why);
  show();
});
