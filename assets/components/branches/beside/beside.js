// Two pictures, classes or networks beside each other: bars, the 36 branches and belief at depth.
// What is filled is left, what is hollow is right.
const find = (selector) => element.querySelector(selector);
const [select, all, trouble, table] = ["select", ".all", ".trouble", "table"].map(find);
const { state } = gnet;
const SIDES = ["left", "right"];
const earlier = []; // pictures shown before in this page: { given, key, name, net }
const [MOST_EARLIER, NOTHING] = [8, "nothing"];
let asked = ""; // the question, as text
let under = ""; // the one that is on its way
let shown = null;

const plain = (value) => JSON.parse(JSON.stringify(value));
const group = (label, options) => {
  const part = document.createElement("optgroup");
  part.label = label;
  part.append(...options.map(([value, name]) => new Option(name, value)));
  return options.length ? [part] : [];
};

const nets = () => gnet.nets.rows().filter((one) => one.state === "here" && one.net !== state.net);
let listed = false; // whether the server has listed them
function choices() {
  const { network, answer } = state;
  const others = earlier.filter((one) => one.key !== answer.key).map((one, i) => [`given:${earlier.indexOf(one)}`, one.name, i]);
  const pictures = props.examples.filter((one) => one.name !== answer.example).map((one) => [`picture:${one.name}`, one.words]);
  const classes = network.classes.map((name) => [`class:${name}`, name]).sort((a, b) => a[1].localeCompare(b[1], "en", { numeric: true }));
  select.replaceChildren(
    new Option(NOTHING, ""),
    ...group(gnet.say("another network"), nets().map((one) => [`net:${one.net}`, gnet.say("beside network", one)])),
    ...group(gnet.say("shown before"), others),
    ...group(gnet.say("another picture"), pictures),
    ...group(gnet.say("another class"), classes),
  );
  select.value = gnet.nets.named(state.beside);
  if (select.selectedIndex < 0) select.value = "";
  const gone = listed && state.beside && !select.value;
  find(".start").textContent = gnet.say(gone ? "beside gone" : "beside nothing");
}

function remember() {
  const { answer, whole, net } = state;
  if (answer.example || earlier.some((one) => one.key === whole.key)) return;
  earlier.unshift({ given: plain(answer.given), key: whole.key, name: answer.name, net });
  earlier.length = Math.min(earlier.length, MOST_EARLIER);
}

// The two sides of the question, as the server reads them.
function question() {
  const { given } = state.answer;
  const named = state.target === null ? null : state.network.classes[state.target];
  const left = { picture: given, key: state.whole.key, class: named };
  const at = select.value.indexOf(":");
  const [kind, name] = [select.value.slice(0, at), select.value.slice(at + 1)];
  if (kind === "class") return { left, right: { ...left, class: name } };
  if (kind === "picture") return { left, right: { picture: { example: name, ...(state.net && { net: state.net }) } } };
  if (kind === "given") return { left, right: { picture: earlier[name].given, key: earlier[name].key } };
  const { box, net, ...picture } = given; // each network has its own px
  return { left, right: { picture: { ...picture, ...(name && { net: name }) } } };
}

function ask() {
  if (!select.value) {
    [asked, shown] = ["", null];
    show();
    return;
  }
  const words = JSON.stringify(question());
  if (words === asked) return;
  asked = words;
  all.classList.add("dim");
  send();
}

// One question at a time: the answer takes the question's place, so the next one waits for it.
function send() {
  if (under || !asked) return;
  under = asked;
  setTimeout(() => {
    props.value = JSON.parse(under);
    trigger("compared");
  });
}

function show() {
  all.hidden = !shown;
  find(".start").hidden = Boolean(shown);
  trouble.textContent = shown ? shown.sides.map(({ error }) => error).join(" ") : "";
  if (!shown) return;
  all.classList.toggle("dim", JSON.stringify(shown.asked) !== asked); // another question is on its way
  find(".sides").innerHTML = shown.sides.map(side).join("");
  bars();
  branches();
  depth();
}

function side(one, i) {
  if (one.error) return `<div class="side"><span class="mark ${SIDES[i]}"></span><p><span>${gnet.say("no side")}</span></p></div>`;
  const { escape } = gnet;
  return (
    `<div class="side"><span class="mark ${SIDES[i]}"></span><img src="${one.picture}" alt="">` +
    `<p><b>${escape(one.name)}</b><span>${escape(one.class)} in ${escape(one.network)}, ${escape(one.head)}</span></p></div>`
  );
}

// Two bars, one above the other, on the scale of all the others.
function pair(values, limit, signed, written) {
  return values
    .map((value, i) => {
      const size = value === null || !limit ? 0 : (100 * Math.abs(value)) / limit / (signed ? 2 : 1);
      const left = signed ? 50 - (value < 0 ? size : 0) : 0;
      const bar = value === null ? "" : `<i class="${SIDES[i]}" style="left:${left}%;width:${size}%"></i>`;
      return `<span class="track${signed ? " signed" : ""}">${bar}</span><span>${value === null ? "–" : written(value)}</span>`;
    })
    .join("");
}

function bars() {
  const { rows, limit, scale, note } = shown.bars;
  find(".bars").innerHTML = rows
    .map((row) => `<div class="row">${gnet.escape(row.class)}<div class="pair">${pair(row.values, limit, false, gnet.percent)}</div></div>`)
    .join("");
  element.querySelectorAll(".scale")[0].textContent = `${scale} ${note}`;
}

function branches() {
  const { cells, limit, signed, scale, title, sentence, note } = shown.branches;
  const written = signed ? gnet.fixed : gnet.percent;
  const heads = gnet.branches().map((b) => `<th scope="col" class="b${b}">${gnet.label(b)}</th>`);
  const rows = Object.entries(cells).map(([stage, row]) => {
    const parts = gnet.branches().map((b) => `<td class="b${b}" data-cell="${stage}/${b}"><div class="pair">${pair(row[b], limit, signed, written)}</div></td>`);
    return `<tr><th scope="row">${stage}</th>${parts.join("")}</tr>`;
  });
  table.innerHTML = `<thead><tr><td></td>${heads.join("")}</tr></thead><tbody>${rows.join("")}</tbody>`;
  find(".title").textContent = title;
  find(".widest").textContent = sentence;
  element.querySelectorAll(".scale")[1].textContent = `${scale} ${note}`;
}

function depth() {
  const { stages, heads, scale, note } = shown.depth;
  const names = Object.keys(stages);
  const x = (stage) => 100 * names.indexOf(stage) + 50;
  find("svg").innerHTML = SIDES.map((which, i) => {
    const points = names.filter((stage) => (stages[stage][i] ?? null) !== null).map((stage) => `${x(stage)},${100 - 100 * stages[stage][i]}`);
    return `<polyline class="${which}" points="${points.join(" ")}"/>`;
  }).join("");
  const exits = Object.fromEntries(state.network.heads.map((head) => [head.name, head.exit]));
  find(".points").innerHTML = Object.entries(heads)
    .flatMap(([head, values]) => values.map((value, i) => [head, value, SIDES[i]]))
    .filter(([, value]) => value !== null)
    .map(([head, value, which]) => `<i class="${which}" style="left:${x(exits[head] ?? "5b") / 9}%;top:${100 - 100 * value}%"></i>`)
    .join("");
  find(".names").innerHTML = names.map((name) => `<span>${name}</span>`).join("");
  const written = (values) => values.map((value) => ((value ?? null) === null ? "–" : gnet.percent(value))).join(", ");
  find(".chart").ariaLabel = [...Object.entries(stages), ...Object.entries(heads)].map(([name, values]) => `${name}: ${written(values)}`).join("; ");
  element.querySelectorAll(".scale")[2].textContent = `${scale} ${note}`;
}

select.addEventListener("change", () => gnet.choose({ beside: gnet.nets.inAddress(select.value) || null }));
watch("value", () => {
  if (typeof props.value !== "string") return; // the question itself
  shown = JSON.parse(props.value);
  if (select.value) show();
});
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what !== "compare") return;
  const again = asked !== under;
  under = "";
  if (again) return send();
  if (answered) return;
  asked = "";
  all.classList.remove("dim");
});
document.addEventListener("gnet-networks", () => {
  listed = true;
  if (state.tab !== "branches" || !state.answer) return;
  choices();
  ask();
});
gnet.draw((changed) => {
  if (!["answer", "network", "beside", "target", "tab"].some((one) => changed.has(one))) return;
  remember();
  choices();
  ask();
  if (changed.has("tab")) gnet.nets.list();
}, ["branches"]);
