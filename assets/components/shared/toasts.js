// The header of Gradio's toast is a button that folds its sentence away, and holds the button that
// closes it. Here it is a header alone: the sentence stays until it is closed or its time is up.
(() => {
  const PARTS = ".toast-wrap, .toast-item, .toast-body";

  function made(nodes) {
    for (const node of nodes) {
      if (!(node instanceof Element) || !node.matches(PARTS)) continue;
      for (const header of node.querySelectorAll(".toast-header")) {
        header.removeAttribute("role");
        header.removeAttribute("tabindex");
      }
    }
  }

  new MutationObserver((records) => records.forEach((one) => made(one.addedNodes)))
    .observe(document.documentElement, { childList: true, subtree: true });
})();
