// The picture and the module that Explore shows, and a short way to others.
const find = (selector) => element.querySelector(selector);
const [select, modules] = [".picture", ".module"].map(find);
const own = new Option("", "");

select.append(own, ...props.examples.map(({ name, words }) => new Option(words, name)));
select.addEventListener("change", () => {
  const { net } = gnet.state;
  if (select.value) document.dispatchEvent(new CustomEvent("gnet-return", { detail: { example: select.value, ...(net && { net }) } }));
});
modules.addEventListener("change", () => gnet.choose({ stage: modules.value, branch: null }));
document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
  if (what === "answer" && !answered) select.value = gnet.state.answer.example ?? "";
});
gnet.draw(() => {
  const { answer, network, stage } = gnet.state;
  if (!modules.length) modules.append(...Object.keys(network.widths).map((name) => new Option(name)));
  modules.value = stage;
  find("img").src = answer.picture.square;
  find(".name").textContent = answer.name;
  find(".network").textContent = `seen by ${network.name}`;
  own.hidden = Boolean(answer.example);
  own.text = answer.name;
  select.value = answer.example ?? "";
}, ["branches"]);
