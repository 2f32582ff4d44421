// What is said of the form while it is filled in: at each field why it cannot be so, or cannot be
// set; here what is wrong with the whole.
const { state, choose, draw } = gnet.train;
const left = document.querySelector("#train-left");
const block = (name) => left.querySelector(`#form-${name.replace(/[._]/g, "-")}`);
const { number } = gnet;
const [names, labels, spans] = [props.names, props.labels, props.spans];
gnet.train.span(spans);
const outside = {}; // field → what was given that its slider has not
let asked = false;
let locked = ""; // the fields locked by now
let held = new Set(); // the same, by name
const ever = new Set(); // those that were locked at any time

// One line below a field, empty if there is nothing to say. Where the field cannot be set the line
// has its own place; else it floats over what is below, which stays where it is.
function say(name, text, wrong) {
  const part = block(name);
  if (!part) return;
  let line = part.querySelector(":scope > .form-said");
  if (!line && !text) return;
  if (!line) {
    line = document.createElement("p");
    line.className = "form-said";
    line.id = `${part.id}-said`;
    line.setAttribute("role", "status");
    part.append(line);
  }
  if (line.textContent !== text) line.textContent = text;
  line.classList.toggle("wrong", wrong);
  line.classList.toggle("floats", !held.has(name) && name !== "data");
  for (const input of part.querySelectorAll("input")) {
    input.ariaInvalid = wrong ? "true" : null;
    if (text) input.setAttribute("aria-describedby", line.id);
    else input.removeAttribute("aria-describedby");
  }
  const fold = wrong && part.closest(".fold");
  if (fold) fold.querySelector(":scope > button[aria-expanded=false], :scope > button:not(.open)")?.click();
}

function sayAll(before = {}) {
  const { said, troubles } = state.form ?? { said: {}, troubles: {} };
  const all = { ...said, ...outside };
  for (const name of new Set([...Object.keys(before), ...Object.keys(all)])) {
    say(name, all[name] ?? "", name in troubles || name in outside);
  }
}

watch("value", () => {
  const { troubles, notes, locked: names, said } = JSON.parse(props.value);
  const before = { ...state.form?.said };
  element.querySelector(".said").textContent = said;
  held = new Set(names);
  choose({ form: { said: { ...notes, ...troubles }, troubles } });
  sayAll(before);
  const key = names.join();
  if (key !== locked) {
    locked = key;
    for (const name of names) ever.add(name);
    trigger("lock", { ever: [...ever] }); // the others are left alone: somebody may be writing there
  }
});

// What a slider's field makes of a number that it has not: said until another one is given.
left.addEventListener("input", ({ target }) => {
  const i = names.findIndex((name) => block(name)?.contains(target));
  if (i < 0 || !spans[i]) return;
  const [low, high] = spans[i];
  const [name, before] = [names[i], { ...outside }];
  const inside = target.value !== "" && target.value >= low && target.value <= high;
  const taken = gnet.train.within(names.map(() => target.value))[i];
  if (inside) delete outside[name];
  else outside[name] = gnet.say("taken", { label: labels[i], given: target.value || "nothing", taken: number(taken), low: number(low), high: number(high) });
  sayAll(before);
});

draw((changed) => {
  if (changed("refilled")) {
    const before = { ...outside };
    for (const name of Object.keys(outside)) delete outside[name]; // the fields hold the question's numbers again
    sayAll(before);
  }
  if (asked && !changed("filled")) return;
  asked = true;
  trigger("check");
});
