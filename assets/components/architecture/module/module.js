// The what-if: a module's 1×1 reduces as sliders, and what it costs as it is, so, and naively.
const find = (selector) => element.querySelector(selector);
const [stages, sliders] = [".stage", ".sliders"].map(find);
const { state } = gnet.plan;
let found = null;
let widths = {}; // the sliders that were moved
let sums = matchMedia("(min-width: 821px)").matches; // whether they are open

function ask() {
  if (!state.shown) return;
  const question = gnet.plan.question({ stage: gnet.state.stage, reduces: widths, size: state.shown.size });
  if (!found || found.stage !== question.stage) find("section").classList.add("dim");
  line.ask(question);
}
const line = gnet.asking("change_reduces", (question) => {
  props.value = question;
  trigger("changed");
});

const COSTS = { parameters: "plan parameters", macs: "plan macs", bytes: "plan bytes" };

function bar(module, name) {
  const part = (100 * module[name]) / found.limits[name];
  return `<div class="row"><span>${gnet.say(COSTS[name])}</span><b>${module.words[name]}</b><i style="width:${part}%"></i></div>`;
}

function part({ name, sum, work, channels }) {
  return `<li><b>${name}</b> ${gnet.say("plan makes", { channels })}<br><span>${sum}</span> <small>${work}</small></li>`;
}

function column([name, module]) {
  const lanes = module.lanes.map(({ branch, label, parts }) => `<div class="lane b${branch}"><h4>${label}</h4><ul>${parts.map(part).join("")}</ul></div>`);
  const bars = Object.keys(COSTS).map((one) => bar(module, one));
  return (
    `<div class="one ${name}"><h3>${gnet.escape(module.title)}</h3>${bars.join("")}` +
    `<p class="out">${gnet.say("plan concat", module.words)}</p><details${sums ? " open" : ""}><summary>${gnet.say("plan sums")}</summary>${lanes.join("")}<p class="total">${gnet.say("plan total", module.words)}</p></details></div>`
  );
}

// Sliders are made anew only for another module or network, so that one that is held stays.
function slide() {
  const made = JSON.stringify([found.stage, found.preset, found.net]);
  if (sliders.dataset.made !== made) {
    sliders.dataset.made = made;
    sliders.innerHTML = found.sliders
      .map(({ name, label, branch, most }) => `<label class="b${branch}"><span>${label}</span><input type="range" min="1" max="${most}" step="1" data-name="${name}" /><output></output></label>`)
      .join("");
  }
  for (const { name, value, own, most } of found.sliders) {
    const input = sliders.querySelector(`[data-name="${name}"]`);
    if (document.activeElement !== input || !(name in widths)) input.value = value;
    input.nextElementSibling.textContent = gnet.say("plan of", { value: input.value, own, most });
  }
}

function show() {
  find("section").classList.remove("dim");
  stages.value = found.stage;
  find(".own").disabled = found.same;
  find(".input").textContent = gnet.say("plan input", found);
  find(".sentence").textContent = found.sentence;
  find(".next").textContent = found.next;
  find(".three").innerHTML = Object.entries(found.modules).map(column).join("");
  slide();
}

sliders.addEventListener("input", ({ target }) => {
  widths = { ...widths, [target.dataset.name]: Number(target.value) };
  const { own, most } = found.sliders.find((one) => one.name === target.dataset.name);
  target.nextElementSibling.textContent = gnet.say("plan of", { value: target.value, own, most });
  ask();
});
stages.addEventListener("change", () => gnet.choose({ stage: stages.value, branch: null }));
find(".own").addEventListener("click", () => {
  widths = {};
  ask();
});
find(".three").addEventListener("click", (event) => {
  if (!event.target.closest("summary")) return;
  event.preventDefault(); // the three open and close together
  sums = !sums;
  for (const one of element.querySelectorAll("details")) one.open = sums;
});
watch("value", () => {
  if (typeof props.value !== "string") return;
  const answer = JSON.parse(props.value);
  line.over();
  if (!gnet.plan.meant(answer) || answer.stage !== gnet.state.stage) return;
  found = answer;
  show();
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what === "change_reduces" && !answered) find("section").classList.remove("dim");
});
gnet.draw((changed) => {
  if (!stages.length) stages.append(...Object.keys(gnet.state.network.widths).map((name) => new Option(name)));
  if (["stage", "network", "plan preset"].some((one) => changed.has(one))) widths = {};
  if (["stage", "plan shown"].some((one) => changed.has(one))) ask();
}, ["architecture"], true);
