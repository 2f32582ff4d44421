// A square that is painted on, px by px, at the very size the network sees: what covers a px, and how
// much of it. The picture beneath stays as it is, so every stroke can be undone or turned round.
gnet.painting = (() => {
  const STEPS = 30; // strokes that can be undone
  const BLUR = 0.05; // of the side: how far a blurred px is spread

  // `ground`: RGBA bytes of side × side px. `fills`: name → RGBA bytes of the same size, or a colour.
  function paper(ground, side, fills) {
    const names = Object.keys(fills);
    let covers = new Uint8Array(side * side); // 0: nothing, else the place of its fill, from 1 on
    let amounts = new Uint8Array(side * side); // 0 to 255
    const steps = [];

    const begin = () => {
      steps.push([covers.slice(), amounts.slice()]);
      if (steps.length > STEPS) steps.shift();
    };

    // A round dab; the rim is soft over one px. Without a fill the ground comes back.
    function dab(x, y, radius, name) {
      const fill = names.indexOf(name) + 1;
      for (let row = Math.max(0, Math.floor(y - radius - 1)); row <= Math.min(side - 1, y + radius + 1); row++) {
        for (let col = Math.max(0, Math.floor(x - radius - 1)); col <= Math.min(side - 1, x + radius + 1); col++) {
          const inside = radius + 0.5 - Math.hypot(col + 0.5 - x, row + 0.5 - y);
          const amount = Math.round(255 * Math.min(1, Math.max(0, inside)));
          if (amount) cover(row * side + col, fill, amount);
        }
      }
    }

    function cover(at, fill, amount) {
      if (!fill) amounts[at] = Math.min(amounts[at], 255 - amount);
      else if (!amounts[at] || amount > 127 || covers[at] === fill) {
        [covers[at], amounts[at]] = [fill, Math.max(amount, amounts[at])];
      }
    }

    function line([fromX, fromY], [x, y], radius, name) {
      const count = Math.max(1, Math.ceil(Math.hypot(x - fromX, y - fromY) / Math.max(1, radius / 3)));
      for (let i = 1; i <= count; i++) {
        dab(fromX + ((x - fromX) * i) / count, fromY + ((y - fromY) * i) / count, radius, name);
      }
    }

    function undo() {
      if (steps.length) [covers, amounts] = steps.pop();
    }

    // What was covered comes back, and the fill covers the rest.
    function invert(name) {
      begin();
      const fill = names.indexOf(name) + 1;
      for (let at = 0; at < covers.length; at++) {
        if (!amounts[at]) covers[at] = fill;
        amounts[at] = 255 - amounts[at];
      }
    }

    // The px as they are now, RGBA.
    function compose() {
      const out = new Uint8ClampedArray(ground);
      for (let at = 0; at < covers.length; at++) {
        if (!amounts[at]) continue;
        const [fill, part] = [fills[names[covers[at] - 1]], amounts[at] / 255];
        const flat = fill.length === 3;
        for (let c = 0; c < 3; c++) {
          out[4 * at + c] = Math.round(ground[4 * at + c] * (1 - part) + fill[flat ? c : 4 * at + c] * part);
        }
      }
      return out;
    }

    return { begin, dab, line, undo, invert, compose, steps: () => steps.length, touched: () => amounts.some(Boolean) };
  }

  // The mean colour of a square.
  function mean(ground) {
    const sums = [0, 0, 0];
    for (let at = 0; at < ground.length; at++) if (at % 4 < 3) sums[at % 4] += ground[at];
    return sums.map((sum) => Math.round((4 * sum) / ground.length));
  }

  // A blurred copy: the mean over a square window, three times in both directions.
  function blurred(ground, side) {
    const reach = Math.max(1, Math.round(BLUR * side));
    let values = Float32Array.from(ground);
    for (let pass = 0; pass < 6; pass++) values = spread(values, side, reach, pass % 2);
    return Uint8ClampedArray.from(values, Math.round);
  }

  function spread(values, side, reach, down) {
    const out = new Float32Array(values.length);
    const [along, across] = down ? [4 * side, 4] : [4, 4 * side];
    const within = (i) => Math.min(side - 1, Math.max(0, i));
    for (let one = 0; one < side; one++) {
      for (let c = 0; c < 4; c++) {
        const from = one * across + c;
        let sum = 0;
        for (let i = -reach; i <= reach; i++) sum += values[from + within(i) * along];
        for (let i = 0; i < side; i++) {
          out[from + i * along] = sum / (2 * reach + 1);
          sum += values[from + within(i + reach + 1) * along] - values[from + within(i - reach) * along];
        }
      }
    }
    return out;
  }

  const plain = (colour, side) => Uint8ClampedArray.from({ length: 4 * side * side }, (_, i) => [...colour, 255][i % 4]);

  return { paper, mean, blurred, plain };
})();
