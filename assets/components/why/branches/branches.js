// Grad-CAM of every branch before the head, small and on one scale; a press shows one large.
const find = (selector) => element.querySelector(selector);
const [ask, end, progress, shown, grid, scopes] = [".ask", ".end", ".progress", ".shown", ".grid", ".scope"].map(find);
const { state, why, escape, say } = gnet;
let found = null; // the maps
let about = ""; // the question that they answer, as text
let asked = ""; // the one on its way
let ticket = "";
let within = "network"; // what shares one scale

ask.textContent = say("why draw");
end.textContent = say("why end maps");
progress.ariaLabel = say("why drawing");
find(".bar").ariaLabel = say("why scale");
scopes.innerHTML = ["module", "network"].map((name) => `<button type="button" data-scope="${name}">${name}</button>`).join("");

// The question: picture, class and head; the methods and their options play no part.
function question() {
  const { picture, key, head, class: target } = why.question();
  return { picture, key, head, class: target };
}
const words = () => JSON.stringify([state.net, state.whole.key, state.head, gnet.target()]);
const possible = () => why.form?.head === state.head && why.form.net === state.net && gnet.target() !== null;

function wait(done) {
  end.hidden = progress.hidden = done === null;
  progress.ariaValueNow = String(Math.round(100 * (done ?? 0)));
  progress.firstElementChild.style.width = `${100 * (done ?? 0)}%`;
  follow();
}

function tiles() {
  const stages = Object.entries(found.stages);
  const branches = gnet.branches();
  const parts = stages.map(([stage], s) => `<b style="--stage-at:${s + 1};--branch-at:0">${stage}<small></small></b>`);
  parts.push(...branches.map((branch, b) => `<b class="b${branch}" style="--stage-at:0;--branch-at:${b + 1}">${gnet.label(branch)}</b>`));
  stages.forEach(([stage, one], s) =>
    branches.forEach((branch, b) => {
      const label = escape(say("why tile", { place: `${stage} · ${gnet.label(branch)}`, most: gnet.number(one.branches[branch].high) }));
      parts.push(`<button type="button" data-stage="${stage}" data-branch="${branch}" style="--stage-at:${s + 1};--branch-at:${b + 1}" aria-label="${label}" title="${label}"><canvas></canvas></button>`);
    }),
  );
  grid.innerHTML = parts.join("");
}

function paint() {
  for (const button of grid.querySelectorAll("button")) {
    const { stage, branch } = button.dataset;
    const { grid: cells, branches, limit } = found.stages[stage];
    const { field } = state.answer.stages[stage].branches[branch];
    gnet.overlay(button.firstElementChild, branches[branch], cells, field, within === "network" ? found.limit : limit, false, true);
  }
  Object.values(found.stages).forEach(({ limit }, at) => {
    grid.querySelectorAll("small")[at].textContent = within === "module" ? gnet.number(limit) : "";
  });
  find(".most").textContent = within === "network" ? say("why one scale", { most: gnet.number(found.limit) }) : say("why module scales");
  for (const button of scopes.children) button.ariaPressed = String(button.dataset.scope === within);
}

function show() {
  const { target_name: name, head } = found ?? {};
  find("h2 b").textContent = found ? say("why all of", { class: name, head }) : say("why all");
  shown.hidden = scopes.hidden = !found;
  if (!found) return;
  find(".finding").innerHTML = gnet.marked(found.sentence);
  gnet.bar(find(".bar"), false);
  tiles();
  paint();
}

// What is offered now: maps of another question are dim; those of another picture are gone.
function follow() {
  if (found && found.key !== state.whole.key) {
    found = why.cams = null;
    show();
  }
  ask.disabled = Boolean(asked) || !possible() || (found && about === words());
  find(".time").textContent = possible() && !asked ? why.form.branches : "";
  shown.classList.toggle("dim", Boolean(found) && about !== words());
}

ask.addEventListener("click", () => {
  asked = words();
  const given = { ...question(), ticket: (ticket = why.ticket()) };
  wait(0);
  setTimeout(() => {
    props.value = given;
    trigger("mapped");
  });
});
end.addEventListener("click", () => server.cancel({ ticket }));
scopes.addEventListener("click", ({ target: { dataset } }) => {
  if (!dataset.scope) return;
  within = dataset.scope;
  paint();
});
grid.addEventListener("click", ({ target }) => {
  const place = target.closest("button")?.dataset;
  if (!place) return;
  gnet.choose({ method: "grad-cam", stage: place.stage, road: place.branch, head: found.head, target: found.target });
  why.tell("gnet-explain");
  document.querySelector("#why-map").scrollIntoView({ block: "start" });
});
document.addEventListener("gnet-form", follow);
document.addEventListener("gnet-settled", ({ detail: { what } }) => {
  if (what !== "map_branches") return;
  asked = "";
  wait(null);
});
watch("value", () => {
  if (typeof props.value !== "string") return; // the question itself
  const given = JSON.parse(props.value);
  if (given.done !== undefined) return wait(given.done);
  if (given.cancelled) return;
  found = why.cams = given;
  about = asked;
  show();
  follow();
});
show();
gnet.draw(follow, ["why"]);
