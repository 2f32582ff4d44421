// Numbers in a sentence that lead to where they stand on the page.
(() => {
  const NUMBERS = /\d[\d.]* %|\d+(?= of \d)|(?<=\d of )\d+/g;

  // A sentence as markup; `places` are selectors for the first number, the second, and all others.
  gnet.spots = (text, places) => {
    let at = 0;
    return gnet.escape(text).replace(NUMBERS, (words) => {
      const place = places[Math.min(at++, places.length - 1)];
      return `<span class="spot" role="link" tabindex="0" data-to="${gnet.escape(place)}">${words}</span>`;
    });
  };

  // Go to where a number stands, and mark it until the focus goes on.
  function lead(event) {
    const selector = event.target.closest?.("[data-to]")?.dataset.to;
    const place = selector && document.querySelector(selector);
    if (!place) return;
    place.tabIndex = -1;
    place.classList.add("marked");
    place.addEventListener("blur", () => place.classList.remove("marked"), { once: true });
    place.scrollIntoView({ block: "nearest" });
    place.focus({ preventScroll: true });
  }
  document.addEventListener("click", lead);
  document.addEventListener("keydown", (event) => event.key === "Enter" && lead(event));
})();
