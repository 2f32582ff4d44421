gnet.draw((changed) => {
  if (changed.has("network")) gnet.learning.put(element.querySelector("details"), gnet.state.network.learn.branches);
}, ["branches"]);
