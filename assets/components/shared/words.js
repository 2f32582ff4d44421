// Words and numbers as people read them, and the labels that Python sends.
(() => {
  const escape = (text) =>
    String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  // To so many decimals, as gnet/words.py rounds: six digits count, a half goes up.
  const rounded = (x, digits) => {
    const size = Number((Math.abs(x) * 10 ** digits).toPrecision(6));
    return (Math.sign(x) * Math.floor(size + 0.5)) / 10 ** digits + 0;
  };
  const fixed = (x, digits = 2) => rounded(x, digits).toFixed(digits).replace("-", "−");
  const percent = (x) => {
    const tenths = rounded(100 * x, 1);
    if (x > 0 && tenths === 0) return "<0.1\u00a0%";
    if (tenths === 100 && Number(x.toPrecision(6)) < 1) return ">99.9\u00a0%";
    return `${(tenths < 10 || (tenths >= 99.5 && tenths < 100) ? tenths.toFixed(1) : rounded(100 * x, 0).toFixed(0))}\u00a0%`;
  };
  const power = (text) => text.replace(/(?:\.0)?e([+-]\d+)/, (_, n) => `·10${[...n].map((c) => ({ "-": "⁻", "+": "" })[c] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("")}`).replace("-", "−");
  const number = (x) => {
    const size = Math.abs(x);
    if (x === 0) return "0";
    if (size < 0.001 || size >= 100000) return power(x.toExponential(1));
    return String(Number(x.toPrecision(size < 0.1 ? 2 : 3))).replace("-", "−");
  };

  // Write a name into an SVG text, as much of it as fits into `room` px of the drawing.
  function fit(text, name, room) {
    let length = name.length;
    do text.textContent = cut(name, length);
    while (text.getComputedTextLength() > room && --length > 3);
  }
  const cut = (name, length) => (name.length > length ? `${name.slice(0, length - 1).trimEnd()}…` : name);

  // A name of several words in two lines, broken near its middle; one of one word as it is.
  function halves(name) {
    const from = (at) => Math.abs(at - name.length / 2);
    const [at] = [...name.matchAll(/ /g)].map(({ index }) => index).sort((a, b) => from(a) - from(b));
    return at === undefined ? [name] : [name.slice(0, at + 1), name.slice(at + 1)];
  }

  // A sentence of Python's with a name in each of its places.
  const fill = (sentence, names) => sentence.replace(/\{(\w+)\}/g, (place, name) => names[name] ?? place);

  // A label of the table that Python sends, for a mouse or for a finger; and the places of a part that
  // name one.
  const coarse = matchMedia("(pointer: coarse)").matches;
  const [labels, byTouch] = window.gnetLabels;
  const say = (label, names = {}) => fill((coarse ? byTouch[label] : null) ?? labels[label], names);
  function spell(part) {
    for (const one of part.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
  }

  Object.assign(gnet, { escape, cut, fit, halves, percent, fixed, number, power, fill, say, spell, coarse });
})();
