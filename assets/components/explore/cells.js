// A map of nine modules by four branches: one value in each cell, on a scale around 0.
gnet.cells = (() => {
  const { state } = gnet;

  // `cell` gives a branch's cell by its name, as 4b/5x5.
  function table(title, cell) {
    const heads = gnet.branches().map((b) => `<th scope="col" class="b${b}">${gnet.label(b)}</th>`);
    const rows = Object.keys(state.network.widths).map((stage) => {
      const cells = gnet.branches().map((branch) => cell(`${stage}/${branch}`));
      return `<tr><th scope="row">${stage}</th>${cells.join("")}</tr>`;
    });
    return `<table><caption>${gnet.escape(title)}</caption><tr><td></td>${heads.join("")}</tr>${rows.join("")}</table>`;
  }

  // Black or white, whichever is read more easily on a colour.
  function ink(colour) {
    const [red, green, blue] = colour.match(/\d+/g).map((part) => (part / 255) ** 2.2);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
  }

  function button(name, value, limit, words, setting) {
    const colour = gnet.colour(value, limit, true);
    return (
      `<td><button type="button" data-cell="${name}" data-setting="${setting}" title="${words}" aria-label="${words}"` +
      ` style="background:${colour};color:${ink(colour)}">` +
      `${written(value)}</button></td>`
    );
  }

  const written = (value) => value.toFixed(2).replace(/^-0\.00$/, "0.00").replace("-", "−");
  const empty = (head) => `<td title="${gnet.say("behind", { head })}">–</td>`;

  return { table, button, written, empty };
})();
