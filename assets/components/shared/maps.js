// Maps as pixels: cells by themselves, or over the picture. A table is 256 colours; bytes are read
// once per map.
Object.assign(gnet, (() => {
  const { state } = gnet;
  // A loop: `Uint8Array.from` takes many times as long.
  function bytes(text) {
    const letters = atob(text);
    const list = new Uint8Array(letters.length);
    for (let i = 0; i < list.length; i++) list[i] = letters.charCodeAt(i);
    return list;
  }
  const read = new WeakMap();
  const values = (map) => {
    if (!read.has(map)) read.set(map, bytes(map.data));
    return read.get(map);
  };
  let tables = null;
  function table(signed) {
    const { colours } = state.network;
    tables ??= { true: bytes(colours.diverging), false: bytes(colours.sequential) };
    return tables[Boolean(signed)];
  }

  // From a map's byte to a place in the table of a scale that ends at `limit`.
  function places(map, limit, signed) {
    const list = new Float32Array(256);
    for (let byte = 0; byte < 256; byte++) {
      const own = (signed ? (byte / 255) * 2 - 1 : byte / 255) * map.limit;
      const value = map.limit === undefined ? map.low + (byte / 255) * (map.high - map.low) : own;
      const part = limit > 0 ? value / limit : 0;
      list[byte] = 255 * Math.min(1, Math.max(0, signed ? (part + 1) / 2 : part));
    }
    return list;
  }

  // The colour of one value on a scale that ends at `limit`.
  function colour(value, limit, signed) {
    const part = limit > 0 ? Math.min(1, Math.max(signed ? -1 : 0, value / limit)) : 0;
    const at = 3 * Math.round(255 * (signed ? (part + 1) / 2 : part));
    return `rgb(${[...table(signed).subarray(at, at + 3)].join(" ")})`;
  }

  // The cells of a map as they are, one px each; style enlarges them.
  function paint(canvas, map, [rows, cols], limit, signed) {
    const context = sized(canvas, cols, rows);
    const image = context.createImageData(cols, rows);
    const [data, place, colours] = [values(map), places(map, limit, signed), table(signed)];
    const out = image.data;
    for (let i = 0; i < rows * cols; i++) {
      const at = 3 * Math.round(place[data[i]]);
      for (let c = 0; c < 3; c++) out[4 * i + c] = colours[at + c];
      out[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  // A map over the grey picture, every cell where the middle of its field lies. A fading one is the
  // more opaque the further a value is from 0, so that the picture stays where the map says nothing.
  function overlay(canvas, map, [rows, cols], field, limit, signed, fading = false) {
    const side = 240;
    const context = sized(canvas, side, side);
    const image = context.createImageData(side, side);
    const [data, place, colours] = [values(map), places(map, limit, signed), table(signed)];
    const grey = state.answer.grey(side);
    const opacity = Float32Array.from({ length: 256 }, (_, at) => {
      const part = signed ? Math.abs((at / 255) * 2 - 1) : at / 255;
      return fading ? 0.85 * part : 0.72;
    });
    const [lift, gain] = fading ? [80, 0.585] : [0, 0.9];
    // For each px along one side: the cells before and after it, and how far it is between them.
    const along = (cells) => {
      const [before, after, part] = [0, 0, 0].map(() => new Float32Array(side));
      for (let p = 0; p < side; p++) {
        const px = ((p + 0.5) / side) * state.answer.picture.size - 0.5;
        const cell = Math.min(cells - 1, Math.max(0, (px - field[2]) / field[1]));
        before[p] = Math.floor(cell);
        after[p] = Math.min(cells - 1, before[p] + 1);
        part[p] = cell - before[p];
      }
      return [before, after, part];
    };
    const [left, right, across] = along(cols);
    const lines = new Float32Array(rows * side); // every row of cells, widened to px
    for (let row = 0, i = 0; row < rows; row++) {
      for (let x = 0; x < side; x++, i++) {
        const [one, two] = [place[data[row * cols + left[x]]], place[data[row * cols + right[x]]]];
        lines[i] = one + (two - one) * across[x];
      }
    }
    const [top, bottom, down] = along(rows);
    const out = image.data;
    for (let y = 0, i = 0; y < side; y++) {
      const [upper, lower, part] = [top[y] * side, bottom[y] * side, down[y]];
      for (let x = 0; x < side; x++, i++) {
        const value = lines[upper + x] + (lines[lower + x] - lines[upper + x]) * part;
        const at = (value + 0.5) | 0;
        const own = opacity[at];
        const shade = (1 - own) * (lift + gain * grey[i]);
        out[4 * i] = own * colours[3 * at] + shade;
        out[4 * i + 1] = own * colours[3 * at + 1] + shade;
        out[4 * i + 2] = own * colours[3 * at + 2] + shade;
        out[4 * i + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  }

  function sized(canvas, width, height) {
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    return canvas.getContext("2d");
  }

  // The scale's bar.
  function bar(canvas, signed) {
    const colours = table(signed);
    const context = sized(canvas, 256, 1);
    const image = context.createImageData(256, 1);
    for (let i = 0; i < 256; i++) image.data.set([...colours.slice(3 * i, 3 * i + 3), 255], 4 * i);
    context.putImageData(image, 0, 0);
  }

  // The picture's square as grey values, once it is decoded.
  async function decoded(answer) {
    const image = new Image();
    image.src = answer.picture.square;
    await image.decode();
    answer.grey = greys(image);
    return answer;
  }

  // A square's grey values at any size, each computed once.
  function greys(image) {
    const kept = new Map();
    return (side) => {
      if (!kept.has(side)) {
        const context = sized(document.createElement("canvas"), side, side);
        context.imageSmoothingQuality = "high";
        context.drawImage(image, 0, 0, side, side);
        const pixels = context.getImageData(0, 0, side, side).data;
        const grey = new Float32Array(side * side);
        for (let i = 0; i < grey.length; i++) {
          grey[i] = (pixels[4 * i] + pixels[4 * i + 1] + pixels[4 * i + 2]) / 3;
        }
        kept.set(side, grey);
      }
      return kept.get(side);
    };
  }

  return { bytes, colour, paint, overlay, bar, decoded, greys };
})());
