// The name, the tabs, a glossary, and the classes the network knows one click away.
const find = (selector) => element.querySelector(selector);
const [dialog, list, field] = [find(".classes"), find(".list"), find("input")];
const glossary = find(".glossary");

for (const [button, opened] of [[".known", dialog], [".words", glossary]]) {
  find(button).addEventListener("click", () => opened.showModal());
  opened.querySelector(".close").addEventListener("click", () => opened.close());
  opened.addEventListener("click", (event) => event.target === opened && opened.close());
}
// The address of what is shown; it stands there until something else is done.
const copied = find(".copied");
async function copy() {
  if (unfinished()) return;
  const address = location.origin + gnet.where();
  try {
    await gnet.copy(address);
    const own = gnet.tabs[gnet.state.tab].picture && gnet.own();
    const said = [gnet.say("link copied"), own && gnet.say("picture own"), gnet.state.net.startsWith("file-") && gnet.say("network own")];
    copied.textContent = said.filter(Boolean).join(" ");
  } catch {
    gnet.remember(); // so that it stands where a person can copy it
    copied.textContent = gnet.say("copies not");
  }
}
// A picture that is still changing has no address and is in no file; whether that was said.
function unfinished() {
  const { light } = gnet.state;
  if (light) copied.textContent = gnet.say(light === "touch" ? "first touch" : "first camera");
  return Boolean(light);
}
find(".link").addEventListener("click", copy);
document.addEventListener("pointerdown", () => (copied.textContent = ""));
find(".network").addEventListener("click", () => document.dispatchEvent(new Event("gnet-networks-open")));
find(".lessons").textContent = gnet.say("lessons");
find(".lessons").hidden = !gnet.lessons.all.length;
find(".lessons").addEventListener("click", () => document.dispatchEvent(new Event("gnet-lessons-open")));
find(".save").addEventListener("click", () => unfinished() || document.dispatchEvent(new Event("gnet-save")));
find(".known").addEventListener("click", () => {
  field.value = "";
  filter();
  field.focus();
});

// The classes with the words in their name or their family's; Enter takes the first.
function filter() {
  const words = field.value.trim().toLowerCase();
  const fits = (text) => text.toLowerCase().includes(words);
  let left = 0;
  for (const group of list.children) {
    const family = fits(group.dataset.family);
    let here = 0;
    for (const button of group.querySelectorAll("button")) {
      button.hidden = !(family || fits(button.textContent));
      here += !button.hidden;
    }
    group.hidden = !here;
    left += here;
  }
  find(".none").textContent = left ? "" : gnet.fill(gnet.state.network.no_class, { given: field.value.trim() });
}
field.addEventListener("input", filter);
function take(button) {
  dialog.close();
  gnet.ask(Number(button.dataset.class));
}
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault(); // else it would press the button that the focus goes back to
  const words = field.value.trim().toLowerCase();
  const left = [...list.querySelectorAll("button")].filter((one) => !one.hidden);
  const first = left.find((one) => one.textContent.toLowerCase() === words) ?? left[0];
  if (words && first && !first.closest("[hidden]")) take(first);
});
list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) take(button);
});

// The tabs, and what each is about.
const tabs = Object.keys(gnet.tabs);
if (tabs.length > 1) {
  find("nav").innerHTML = tabs
    .map((tab) => `<a href="?tab=${tab}" data-tab="${tab}">${gnet.tabs[tab].label}</a>`)
    .join("");
}
find("nav").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return; // a new window
  event.preventDefault();
  gnet.show(link.dataset.tab);
});
find(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  const content = document.querySelector(event.target.hash);
  content.tabIndex = -1;
  content.focus();
});
find(".paper").href = gnet.paper;
find("dl").innerHTML = gnet.glossary
  .map(([word, sentence]) => `<div><dt>${gnet.escape(word)}</dt><dd>${gnet.escape(sentence)}</dd></div>`)
  .join("");

function classes() {
  const { network } = gnet.state;
  find(".known").textContent = gnet.say("classes known", { count: network.classes.length });
  find("#known-title").textContent = gnet.say("classes of", { count: network.classes.length, name: network.name });
  const groups = {};
  network.classes.forEach((name, i) => (groups[network.families[i] ?? ""] ??= []).push([name, i]));
  const sorted = (parts) => parts.sort((a, b) => a[0].localeCompare(b[0], "en", { numeric: true }));
  list.innerHTML = sorted(Object.entries(groups))
    .map(([family, names]) => {
      const title = family ? `<h3>${gnet.escape(family)}</h3>` : "";
      const buttons = sorted(names).map(
        ([name, i]) => `<button type="button" data-class="${i}">${gnet.escape(name)}</button>`,
      );
      return `<section data-family="${gnet.escape(family)}">${title}<div>${buttons.join("")}</div></section>`;
    })
    .join("");
}

// The network that is shown where it is not the served one, and the way back; or why the served one
// is shown in place of another. It stands where the tab's line does, so that nothing moves.
let served = null; // the network the page opened with
find(".back").addEventListener("click", () => gnet.look(""));
find(".run").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new window
  event.preventDefault();
  gnet.train?.choose({ run: gnet.state.net });
  gnet.show("train");
});
function which() {
  const { network, net, answer, tab } = gnet.state;
  if (!net) served = network;
  const { picture } = gnet.tabs[tab];
  const other = picture && Boolean(net);
  const instead = (picture && answer.instead) || gnet.missing.sentence();
  const about = gnet.escape(network.about ?? "");
  const name = `<b class="term" tabindex="0" data-says="${about}">${gnet.escape(network.name)}</b>`;
  find(".shown").innerHTML = other ? gnet.say("shown", { name, about }) : gnet.escape(instead);
  find(".shown").hidden = !(other || instead);
  find(".line").hidden = !find(".shown").hidden;
  find(".back").hidden = !other;
  find(".back").textContent = gnet.say("back", { name: served?.name ?? gnet.say("served network") });
  find(".run").hidden = !(other && network.run);
  find(".run").href = `?${new URLSearchParams({ tab: "train", run: net })}`;
  find(".run").textContent = gnet.say("its run");
}

gnet.draw((changed) => {
  const { network, tab, answer } = gnet.state;
  for (const link of find("nav").children) {
    link.ariaCurrent = link.dataset.tab === tab ? "page" : null;
  }
  const row = find("nav"); // which may scroll
  const here = row.querySelector("[aria-current]");
  if (here && changed.has("tab")) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  find(".skip").hash = `${tab}-tab`;
  const { label, line } = gnet.tabs[tab];
  document.title = [tab === "explore" ? answer.name : "", label, "gnet"].filter(Boolean).join(" · ");
  find(".line").textContent = line;
  find(".known").hidden = tab !== "explore";
  find(".save").hidden = !gnet.views[tab];
  find(".network").hidden = !gnet.tabs[tab].picture;
  find(".network").textContent = find(".network").title = network.name;
  find(".network").ariaLabel = gnet.say("network", network);
  which();
  if (changed.has("network")) classes();
  if (["target", "answer", "head", "network"].some((one) => changed.has(one))) {
    for (const button of list.querySelectorAll("button")) {
      button.ariaPressed = String(Number(button.dataset.class) === gnet.target());
    }
  }
}, tabs);
