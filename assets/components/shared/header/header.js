// The name, the tabs, and the classes the network knows one click away.
const find = (selector) => element.querySelector(selector);
const [dialog, list, field] = [find("dialog"), find(".list"), find("input")];

find(".known").addEventListener("click", () => {
  dialog.showModal();
  field.focus();
});
find(".close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
field.addEventListener("input", () => {
  const words = field.value.trim().toLowerCase();
  for (const button of list.children) {
    button.hidden = !button.textContent.toLowerCase().includes(words);
  }
});
list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  gnet.choose({ target: Number(button.dataset.class) });
  dialog.close();
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

gnet.draw((changed) => {
  const { network, tab } = gnet.state;
  for (const link of find("nav").children) {
    link.ariaCurrent = link.dataset.tab === tab ? "page" : null;
  }
  find(".head > p").textContent = gnet.tabs[tab].line;
  find(".known").hidden = tab !== "explore";
  const { classes } = network;
  if (changed.has("network")) {
    find(".known").textContent = `${classes.length} classes it knows`;
    find("#known-title").textContent = `The ${classes.length} classes of “${network.name}”`;
    const names = classes.map((name, index) => [name, index]);
    names.sort((a, b) => a[0].localeCompare(b[0], "en", { numeric: true }));
    list.innerHTML = names
      .map(([name, i]) => `<button type="button" data-class="${i}">${gnet.escape(name)}</button>`)
      .join("");
  }
  if (changed.has("target") || changed.has("answer") || changed.has("head")) {
    for (const button of list.children) {
      button.ariaPressed = String(Number(button.dataset.class) === gnet.target());
    }
  }
}, tabs);
