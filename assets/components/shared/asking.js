// One question at a time: the answer comes back to the component that asked, so that a second one
// sent meanwhile would be overwritten. What is wanted last is asked when the answer is there.
gnet.asking = (what, send) => {
  let asked = "";
  let wanted = null;
  let under = false;
  function next() {
    const words = JSON.stringify(wanted);
    if (under || wanted === null || words === asked) return;
    [asked, under] = [words, true];
    setTimeout(() => send(JSON.parse(words)));
  }
  function over(answered = true) {
    under = false;
    if (!answered && JSON.stringify(wanted) === asked) [asked, wanted] = ["", null];
    next();
  }
  document.addEventListener("gnet-settled", ({ detail }) => detail.what === what && !detail.answered && over(false));
  return {
    ask(question) {
      wanted = question;
      next();
    },
    over,
    busy: () => under,
  };
};
