// The last answer of each method that Explore's Why asks, and what it is an answer to.
gnet.reasons = (() => {
  const { state } = gnet;
  const found = {};

  // What an answer to the question as it stands is of; some methods look at a module.
  const question = ({ name, needs_stage }) =>
    [state.answer.key, state.answer.net ?? "", name, state.head, gnet.target(), needs_stage ? gnet.looked() : null].join("|");
  const answered = (method) => found[method.name]?.question === question(method);

  function take(given) {
    const { key, net, method, head, target, stage } = given;
    found[method] = { ...given, question: [key, net ?? "", method, head, target, stage].join("|") };
    document.dispatchEvent(new CustomEvent("gnet-found"));
  }

  return { question, answered, take, of: (name) => found[name] };
})();
