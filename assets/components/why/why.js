// What the parts of the Why tab share: the methods chosen, their options, and the question of both.
gnet.why = (() => {
  const { state } = gnet;
  let form = null; // what can be asked of the head, from the server
  let answered = ""; // the question that the maps shown answer, as text

  // Names that the table lacks, as an address may have them, are passed over.
  function chosen() {
    const names = (state.method ?? "").split(",").filter((name) => name && (!form || row(name)));
    return names.length ? names : [state.network.first_method];
  }
  const options = () => Object.fromEntries(new URLSearchParams(state.options ?? ""));
  const row = (name) => form.methods.find((one) => one.name === name);
  const valid = () => chosen().filter((name) => row(name) && !row(name).reason);

  // The question as it stands; `methods` are those that are asked.
  function question(methods = valid()) {
    const { answer, whole, head, stage, classes, road } = state;
    const place = { stage, ...(road && { branch: road }) };
    return {
      picture: answer.given,
      key: whole.key,
      head,
      class: gnet.target(),
      methods,
      options: { ...options(), ...place },
      classes: classes ? 2 : 1,
    };
  }

  // What makes two questions the same: the module counts only where a method looks at one.
  function words(asked = question()) {
    const placed = asked.methods.some((name) => row(name)?.place);
    const { stage, branch, ...rest } = asked.options;
    const { picture, ...others } = asked;
    return JSON.stringify({ ...others, net: state.net, options: placed ? asked.options : rest });
  }

  const possible = () => form && form.head === state.head && form.net === state.net && gnet.target() !== null && valid().length > 0;
  const tell = (name, detail = {}) => document.dispatchEvent(new CustomEvent(name, { detail }));
  const ticket = () => Array.from({ length: 4 }, () => Math.random().toString(36).slice(2, 10)).join("");

  return {
    chosen, options, question, words, possible, row, tell, ticket, valid,
    found: null, // the maps shown
    cams: null, // the maps of all branches, once they were drawn
    get form() {
      return form;
    },
    set form(given) {
      form = given;
    },
    get answered() {
      return answered;
    },
    set answered(words) {
      answered = words;
    },
  };
})();
