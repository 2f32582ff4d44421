// Names the network that is shown where it is not the served one, and leads back; or says why the
// served one is shown in place of another.
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
  if (!changed.has("network") && !changed.has("answer")) return;
  const { network, net, answer } = gnet.state;
  if (!net) served = network;
  const { instead } = answer;
  find(".strip").hidden = !net && !instead;
  const name = `<b>${gnet.escape(network.name)}</b>`;
  find("p").innerHTML = net ? gnet.say("shown", { name, about: gnet.escape(network.about ?? "") }) : gnet.escape(instead ?? "");
  find("a").hidden = !network.run;
  find("a").href = `?${new URLSearchParams({ tab: "train", run: net })}`;
  find("a").textContent = gnet.say("its run");
  find("button").hidden = !net;
  find("button").textContent = gnet.say("back", { name: served?.name ?? gnet.say("served network") });
});
