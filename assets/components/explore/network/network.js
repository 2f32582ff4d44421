// Names the network that is shown where it is not the served one, and leads back.
const find = (selector) => element.querySelector(selector);
let served = null; // the network the page opened with

find("button").addEventListener("click", () => gnet.look(""));
find("a").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new window
  event.preventDefault();
  gnet.train?.choose({ run: gnet.state.net });
  gnet.show("train");
});

gnet.draw((changed) => {
  if (!changed.has("network")) return;
  const { network, net } = gnet.state;
  if (!net) served = network;
  find(".strip").hidden = !net;
  const right = network.heads.filter((head) => head.top1 !== null && head.top1 !== undefined);
  const told = right.reverse().map((head) => `${head.name} ${gnet.percent(head.top1)}`).join(", ");
  const name = `<b>${gnet.escape(network.name)}</b>`;
  const facts = { name, count: network.classes.length, size: network.size, heads: told };
  find("p").innerHTML = gnet.say(told ? "trained here right" : "trained here", facts);
  find("a").href = `?${new URLSearchParams({ tab: "train", run: net })}`;
  find("a").textContent = "Its run";
  find("button").textContent = gnet.say("back", { name: served?.name ?? "the served network" });
});
