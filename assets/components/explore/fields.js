// The windows of the picture that one cell of each branch can see: that of the cell pointed at, else
// that of the cell in the middle. A side that lies beyond the picture is dashed, at the picture's edge.
gnet.fields = (() => {
  const { state } = gnet;
  const parts = () => state.answer.stages[state.stage].branches;

  // The cell of the chosen module that is looked at: [row, column].
  function cell(branch) {
    const { cell: pointed, stage } = state;
    return pointed?.stage === stage ? [pointed.row, pointed.col] : parts()[branch].cell;
  }

  // Where its window lies in px of the picture: [top, left, bottom, right].
  function place(branch) {
    const [size, stride, start] = parts()[branch].field;
    const [top, left] = cell(branch).map((at) => Math.round(start + at * stride - (size - 1) / 2));
    return [top, left, top + size, left + size];
  }

  // A window's outline as two paths, in a drawing `width` wide: its own sides, and those beyond.
  function outline([top, left, bottom, right], width, inset = 0) {
    const { size } = state.answer.picture;
    const at = (px) => (Math.min(size, Math.max(0, px)) / size) * width;
    const [x1, x2] = [at(left) + inset, at(right) - inset];
    const [y1, y2] = [at(top) + inset, at(bottom) - inset];
    const sides = [
      [top < 0, `M${x1} ${y1}H${x2}`],
      [bottom > size, `M${x1} ${y2}H${x2}`],
      [left < 0, `M${x1} ${y1}V${y2}`],
      [right > size, `M${x2} ${y1}V${y2}`],
    ];
    const path = (beyond) => sides.filter(([far]) => far === beyond).map(([, d]) => d).join("");
    return { own: path(false), beyond: path(true) };
  }

  // The windows over a branch's map: of the cell looked at; of the middle one also the square that
  // counts.
  function windows(branch) {
    const { answer, measured, network, stage } = state;
    if (network.left_out.includes(branch)) return "";
    const { cell: middle, field } = parts()[branch];
    const draw = (kind, place) => {
      const both = Object.entries(outline(place, 1, 0.012)).filter(([, d]) => d);
      return both.map(([name, d]) => `<path class="under" d="${d}"/><path class="${kind} ${name}" d="${d}"/>`).join("");
    };
    const seen = draw("seen", place(branch));
    const side = measured[stage]?.[branch];
    if (!side || state.cell?.stage === stage) return seen;
    const [cy, cx] = middle.map((c) => field[2] + c * field[1] + 0.5);
    const clip = (v) => Math.min(answer.picture.size, Math.max(0, v));
    return seen + draw("felt", [cy - side / 2, cx - side / 2, cy + side / 2, cx + side / 2].map(clip));
  }

  // The four branches' windows over the picture; those that reach beyond it lie inside each other.
  function draw(svg, width) {
    svg.innerHTML = gnet
      .branches()
      .map((name, i) => {
        if (!parts()[name].field[0]) return ""; // left out
        const { own, beyond } = outline(place(name), width, 1 + 2.5 * i);
        const faint = !state.cell && state.branch && state.branch !== name ? "faint" : "";
        return (
          `<g class="b${name} ${faint}" data-window="${name}"><path d="${own}"/>` +
          `<path class="beyond" d="${beyond}"/></g>`
        );
      })
      .join("");
  }

  // Look at the cell under a pointer over the map of a branch; `box` is the map's place on screen.
  function point(branch, box, x, y) {
    const { grid, field } = parts()[branch];
    const { size } = state.answer.picture;
    const along = (cells, part) =>
      Math.min(cells - 1, Math.max(0, Math.round((part * size - 0.5 - field[2]) / field[1])));
    look({
      row: along(grid[0], (y - box.top) / box.height),
      col: along(grid[1], (x - box.left) / box.width),
    });
  }

  // Look at a cell, or at the middle again.
  function look(place) {
    const { cell: now, stage } = state;
    if (!place && !now) return;
    if (place && now?.stage === stage && now.row === place.row && now.col === place.col) return;
    state.cell = place && { stage, ...place };
    gnet.tell(["cell"]);
  }

  return { cell, place, outline, windows, draw, point, look };
})();
