// Put a text into the clipboard; fails where the browser lets no page do so. Over plain http a page
// is given no clipboard, and the older command works instead.
gnet.copy = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const held = document.createElement("textarea");
  const before = document.activeElement;
  held.value = text;
  held.style.position = "fixed"; // else the page would scroll to it
  document.body.append(held);
  held.select();
  const done = document.execCommand("copy");
  held.remove();
  before?.focus();
  if (!done) throw new DOMException("", "NotAllowedError");
};
