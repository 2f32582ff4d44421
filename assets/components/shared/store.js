// What the page's components share: the tab and the answer shown, what is chosen in it, and maps as
// pixels. Components listen with gnet.draw(fn); fn is called with the names of what has changed.
window.gnet = (() => {
  const DRAWINGS = { explore: 10, train: 1 }; // as many must be there before a tab is shown
  const SCOPES = ["channel", "module", "network"];
  const address = new URLSearchParams(location.search);
  const state = {
    tab: address.get("tab") || "explore",
    network: null, // what holds for every picture
    net: "", // the run it comes from; none for the network that is served
    answer: null, // what came back for this picture
    measured: {}, // stage → branch → px, as far as it is known
    stage: address.get("module") || "4b",
    head: address.get("head") || "main",
    target: null, // class number, or null for the head's first
    scope: SCOPES.includes(address.get("scope")) ? address.get("scope") : "module",
    branch: null, // the branch pointed at
    channel: address.get("channel"), // the channel that is open, as 5x5.17, or null
    waiting: { answer: false, why: false, measured: false },
  };

  function tell(names) {
    document.dispatchEvent(new CustomEvent("gnet", { detail: new Set(names) }));
  }

  // What is drawn in a tab waits while another one is shown: hidden, it has no size.
  function draw(fn, tabs = ["explore"]) {
    let drawn = false;
    let missed = [];
    const run = (names) => {
      if (!state.answer) return;
      if (!tabs.includes(state.tab)) {
        missed.push(...names);
        return;
      }
      fn(drawn ? new Set([...names, ...missed]) : new Set(Object.keys(state)));
      missed = [];
      if (!drawn) arrived(tabs);
      drawn = true;
    };
    document.addEventListener("gnet", (event) => run(event.detail));
    run([]);
  }

  const drawings = { explore: 0, train: 0 };
  function arrived(tabs) {
    for (const tab of tabs) drawings[tab]++;
    if (drawings[state.tab] >= DRAWINGS[state.tab]) {
      document.documentElement.classList.add("gnet-ready");
    }
  }

  // Tabs: what is in them stays as it is while another is shown.
  const words = { explore }; // tab → what it keeps in the address
  document.documentElement.dataset.tab = state.tab;
  function show(tab, keep = true) {
    if (tab === state.tab) return;
    state.tab = document.documentElement.dataset.tab = tab;
    if (keep) history.pushState(null, "", where());
    scrollTo(0, 0);
    tell(["tab"]);
  }
  const where = () => `${location.pathname}?${new URLSearchParams(words[state.tab]())}`;
  const remember = () => history.replaceState(null, "", where());
  addEventListener("popstate", () => {
    show(new URLSearchParams(location.search).get("tab") || "explore", false);
  });

  function choose(changes) {
    const names = Object.keys(changes).filter((name) => state[name] !== changes[name]);
    if (!names.length) return;
    Object.assign(state, changes);
    remember();
    tell(names);
  }

  function explore() {
    const kept = { module: state.stage, head: state.head, scope: state.scope };
    const { target, answer } = state;
    if (target !== null) kept.class = state.network.classes[target];
    if (answer?.example) kept.picture = answer.example;
    if (answer?.tile) kept.tile = answer.tile;
    if (state.net) kept.net = state.net;
    if (state.channel) kept.channel = state.channel;
    return kept;
  }

  // A new answer. A class chosen by hand stays chosen: it may be compared between pictures.
  function arrive(network, answer) {
    const first = !state.answer;
    const net = answer.net ?? "";
    const other = !first && net !== state.net;
    const wanted = net === address.get("net");
    if (other) Object.assign(state, { target: null, ...(!wanted && { channel: null }) });
    Object.assign(state, { network, net, answer, measured: { ...answer.measured } });
    if (!Object.hasOwn(answer.stages, state.stage)) state.stage = "4b";
    if (!believed()) state.head = trained()[0] || "main";
    if (first || (other && wanted)) {
      const named = network.classes.indexOf(address.get("class"));
      if (named >= 0) state.target = named;
    }
    if (!first && state.tab === "explore") remember();
    wait("answer", false);
    tell(["answer", "stage", "head", "target", "measured", ...(other ? ["network", "channel"] : [])]);
  }

  // Look at the picture with another network, or at a picture of a run's review.
  function look(net, tile) {
    document.dispatchEvent(new CustomEvent("gnet-look", { detail: { net, ...(tile && { tile }) } }));
  }

  function trained() {
    return ["main", "aux2", "aux1"].filter(believed);
  }

  function wait(what, on) {
    state.waiting[what] = on;
    document.documentElement.classList.toggle(`waiting-${what}`, on);
    tell(["waiting"]);
  }

  // The server has spoken, with an answer or a refusal.
  function settle(what, answered) {
    if (!(what === "answer" && answered)) wait(what, false); // an answer has yet to be drawn
    document.dispatchEvent(new CustomEvent("gnet-settled", { detail: { what, answered } }));
  }

  const believed = (head = state.head) =>
    Object.hasOwn(state.answer.heads, head) ? state.answer.heads[head].top : undefined;
  const doubtful = (head = state.head) => state.answer.heads[head].sure === false;
  const target = () => state.target ?? believed()?.[0] ?? null;
  const reaches = (stage, head = state.head) =>
    state.network.heads.find((h) => h.name === head).stages.includes(stage);

  // What goes to the server with "Ask why".
  function question(picture, method) {
    wait("why", true);
    return [picture, method, state.head, String(target() ?? 0), state.stage];
  }

  // Words and numbers.
  const escape = (text) =>
    String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  const percent = (x) => {
    if (x > 0 && x < 0.0005) return "<0.1\u00a0%";
    return `${(100 * x).toFixed(x < 0.0995 ? 1 : 0)}\u00a0%`;
  };
  const number = (x) => {
    const size = Math.abs(x);
    if (x === 0) return "0";
    if (size < 0.001 || size >= 100000) return x.toExponential(1).replace("e+", "e");
    return String(Number(x.toPrecision(size < 0.1 ? 2 : 3))).replace("-", "−");
  };
  const label = (branch) => state.network.branches.find((b) => b.name === branch).label;
  const branches = () => state.network.branches.map((b) => b.name);

  // Write a name into an SVG text, as much of it as fits into `room` px of the drawing.
  function fit(text, name, room, before = "", after = "") {
    let length = name.length;
    do text.textContent = before + cut(name, length) + after;
    while (text.getComputedTextLength() > room && --length > 3);
  }
  const cut = (name, length) => (name.length > length ? `${name.slice(0, length - 1).trimEnd()}…` : name);

  // Maps. A table is 256 colours; bytes are read once per map.
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
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
    const kept = new Map();
    answer.grey = (side) => {
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
    return answer;
  }

  return {
    SCOPES, address, state, words, show, remember, draw, choose, arrive, look, wait, settle, target, believed, doubtful, reaches, question,
    escape, cut, fit, percent, number, label, branches, paint, overlay, bar, decoded, tell, trained,
  };
})();
