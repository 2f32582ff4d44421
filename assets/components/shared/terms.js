// Words of the field: each shows its sentence on hover, on focus and on tap. Python has the table.
(() => {
  const [rows, says, paper] = window.gnetTerms; // the glossary, each form of a word → its sentence, a link
  Object.assign(gnet, { glossary: rows, paper });
  const plain = (word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const words = Object.keys(says).sort((a, b) => b.length - a.length);
  const any = new RegExp(`(?<![\\p{L}\\d])(?:${words.map(plain).join("|")})(?![\\p{L}\\d])`, "gu");

  // Markup for one term; `sentence` replaces the table's.
  gnet.term = (word, sentence) =>
    `<span class="term" tabindex="0" data-says="${gnet.escape(sentence ?? says[word])}">${gnet.escape(word)}</span>`;

  // A text as markup: the first occurrence of each word of the table becomes a term.
  gnet.marked = (text, own = {}) => {
    const seen = new Set();
    let html = "";
    let at = 0;
    for (const { 0: word, index } of String(text).matchAll(any)) {
      const sentence = own[word] || says[word];
      if (seen.has(sentence)) continue;
      seen.add(sentence);
      html += gnet.escape(text.slice(at, index)) + gnet.term(word, sentence);
      at = index + word.length;
    }
    return html + gnet.escape(text.slice(at));
  };

  const bubble = document.createElement("div");
  Object.assign(bubble, { id: "gnet-says", popover: "manual", role: "tooltip" });
  let shown = null;
  const term = (event) => event.target.closest?.("[data-says], [data-term]");

  function show(one) {
    if (!bubble.isConnected) document.querySelector("main").append(bubble);
    hide();
    shown = one;
    bubble.textContent = one.dataset.says ?? says[one.dataset.term] ?? "";
    if (!bubble.textContent) return;
    one.setAttribute("aria-describedby", bubble.id);
    bubble.showPopover();
    const around = one.getBoundingClientRect();
    const { width, height } = bubble.getBoundingClientRect();
    const most = document.documentElement.clientWidth - width - 8;
    const above = around.top - height - 6;
    bubble.style.left = `${Math.max(8, Math.min(most, around.left))}px`;
    bubble.style.top = `${above > 4 ? above : around.bottom + 6}px`;
  }
  function hide() {
    shown?.removeAttribute("aria-describedby");
    shown = null;
    if (bubble.matches(":popover-open")) bubble.hidePopover();
  }

  for (const kind of ["pointerover", "focusin", "click"]) {
    document.addEventListener(kind, (event) => {
      const one = term(event);
      if (one && one !== shown) show(one);
      else if (!one && kind !== "focusin" && shown !== document.activeElement) hide();
      else if (!one && kind === "click") hide();
    });
  }
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", hide, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
})();
