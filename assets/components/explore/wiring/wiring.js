// How the chosen module is wired: what comes in, four branches side by side, what goes on.
const find = (selector) => element.querySelector(selector);
const box = find(".wiring");
const MIDDLES = [12.5, 37.5, 62.5, 87.5]; // of the four branches, in % of the height

function module_() {
  return gnet.state.network.modules[gnet.state.stage];
}

const count = (n) => `${n}&nbsp;<i>channels</i>`;
const fan = (name, path) =>
  `<svg class="fan ${name}" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">` +
  `${MIDDLES.map((y, i) => `<path data-switched="${gnet.branches()[i]}" d="${path(y)}"/>`).join("")}</svg>`;

// A branch in a row of its own: perhaps a step before, and the convolution that makes its channels.
function lane(name) {
  const { steps, cost, unit, direct } = module_().branches[name];
  const step = ({ name: words, channels }, kind) =>
    `<span class="step ${kind}"><b>${words}<em></em></b><small>${count(channels)}</small></span>`;
  const label = gnet.say("lane", { branch: gnet.label(name), steps: steps.map((one) => one.name).join(", ") });
  const [before, last] = steps.length > 1 ? steps : [null, steps[0]];
  const out = last ? step(last, "last") : `<span class="step out">left out</span>`;
  const first = before ? step(before, "before") : `<span class="through"></span>`;
  return (
    `<div class="lane b${name}" role="button" tabindex="0" aria-pressed="false" aria-label="${label}"` +
    ` data-branch="${name}" data-switched="${name}">${first}<span class="link"></span>${out}` +
    `<span class="macs"><b>${cost} <span class="unit">${unit}</span></b><small>${direct}</small></span></div>`
  );
}

function draw() {
  const { network, stage } = gnet.state;
  const m = module_();
  const widths = network.widths[stage];
  find("h2").textContent = m.title;
  find(".cells").textContent = m.grid;
  const differs = m.paper ? ` ${gnet.term(gnet.say("not as paper"), `${m.paper}.`)}.` : "";
  find(".cost").innerHTML = gnet.marked(m.sentence) + differs;
  box.setAttribute("aria-label", `${m.title}. ${m.sentence}`);
  const parts = gnet.branches().map((name, i) => {
    const out = network.left_out.includes(name) ? "out" : "";
    return `<i class="b${name} ${out}" data-branch="${name}" data-switched="${name}" style="flex-grow:${widths[i]}"></i>`;
  });
  box.innerHTML =
    `<div class="input"><b>input</b> <small>${count(m.input)}</small> <small>${m.from}</small></div>` +
    fan("in", (y) => `M0 50C50 50 50 ${y} 100 ${y}`) +
    `<div class="lanes">${gnet.branches().map(lane).join("")}</div>` +
    fan("out", (y) => `M0 ${y}C50 ${y} 50 50 100 50`) +
    `<div class="stack">${parts.join("")}</div>` +
    `<div class="output"><b class="term" tabindex="0" data-term="concat">concat</b> <small>${count(m.output)}</small> <small>${m.to}</small></div>`;
}

// The branch pointed at stands out here, too, and the one chosen has a frame.
function point() {
  const { branch, pinned } = gnet.state;
  for (const part of box.querySelectorAll("[data-branch]")) {
    part.classList.toggle("faint", Boolean(branch) && part.dataset.branch !== branch);
    if (part.role === "button") part.ariaPressed = String(part.dataset.branch === pinned);
  }
}

// A branch is chosen, or chosen no longer.
function pick(event) {
  const { branch } = event.target.closest("[data-branch]")?.dataset ?? {};
  if (branch) gnet.choose({ pinned: gnet.state.pinned === branch ? null : branch });
}
box.addEventListener("click", pick);
box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" && event.key !== " ") return;
  event.preventDefault();
  pick(event);
});

// A branch that is switched off is hollow; one that is scaled or at its mean says so.
function switched() {
  const { of, kind, word } = gnet.switching;
  for (const part of box.querySelectorAll("[data-switched]")) {
    const setting = of(gnet.state.stage, part.dataset.switched);
    for (const name of ["off", "part"]) part.classList.toggle(name, kind(setting) === name);
    const mark = part.querySelector(".last em");
    if (mark) mark.textContent = setting === "1" ? "" : ` ${word(setting)}`;
  }
}

box.addEventListener("pointerover", (event) => {
  gnet.choose({ branch: event.target.closest("[data-branch]")?.dataset.branch ?? null });
});
box.addEventListener("pointerleave", () => gnet.choose({ branch: null }));
gnet.draw((changed) => {
  if (changed.has("stage") || changed.has("network")) draw();
  if (["stage", "network", "switches"].some((what) => changed.has(what))) switched();
  point();
}, ["explore"], true);
