// Charts over a run's epochs, drawn as SVG in the page's own pixels: lines, areas, dots and marks.
// An update sets the paths anew and nothing else, so nothing flickers and a zoom stays.
gnet.chart = (() => {
  const NS = "http://www.w3.org/2000/svg";
  const LEFT = 45;
  const TOP = 8;
  const BOTTOM = 22;
  const [FAR, FAR_RUN] = [2, 5]; // so many times as high as the run's lines, a dot or a run goes beyond

  const make = (name, parent, attributes = {}) => {
    const part = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
    parent.append(part);
    return part;
  };

  // A step of 1, 2 or 5 times a power of ten with at most `most` of them in `range`.
  function nice(range, most) {
    const rough = range / most || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((times) => times * power >= rough * 0.999);
  }
  const written = (value, step) =>
    value >= 1e5 ? gnet.power(Number(value.toPrecision(2)).toExponential()) : value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));

  // The first place in sorted `xs` that is not below x.
  function place(xs, x) {
    let [low, high] = [0, xs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (xs[middle] < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // What has not changed is not set again: the browser would lay it out anew.
  function put(part, html) {
    if (part.html !== html) part.innerHTML = part.html = html;
  }
  function set(part, name, value) {
    const text = String(value);
    if (part.getAttribute(name) !== text) part.setAttribute(name, text);
  }

  const round = (value) => Math.round(value * 10) / 10;

  // How runs laid over one another are told apart: a dash for lines, a shape for dots. The first is
  // the run shown; all that are more than there are looks are drawn alike.
  const circle = (r) => `m${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  const SHAPES = [
    circle,
    circle,
    (r) => `m${-0.9 * r} ${-0.9 * r}h${1.8 * r}v${1.8 * r}h${-1.8 * r}z`,
    (r) => `m0 ${-1.2 * r}l${1.2 * r} ${2.1 * r}h${-2.4 * r}z`,
    (r) => `m0 ${-1.25 * r}l${1.25 * r} ${1.25 * r}l${-1.25 * r} ${1.25 * r}l${-1.25 * r} ${-1.25 * r}z`,
    (r) => `m${-1.1 * r} ${-0.9 * r}h${2.2 * r}l${-1.1 * r} ${2 * r}z`,
  ];
  const LOOKS = SHAPES.length;
  const look = (i) => (i < LOOKS ? `look-${i}` : "look-more");
  const shape = (i, x, y, r = 4) => (i < LOOKS ? `M${round(x)} ${round(y)}${SHAPES[i](r)}` : "");
  const above = (x, y) => `M${round(x) - 3.5} ${y + 5}l3.5 -5l3.5 5`;
  const sample = (i) =>
    `<svg class="sample" width="30" height="12" aria-hidden="true"><path class="line ${look(i)}" d="M1 6H29"/><path class="dots ${look(i)}" d="${shape(i, 15, 6)}"/></svg>`;

  // A polyline; where several points share a px, their least and their largest stand for them.
  function line(xs, ys, px, py, first, last) {
    let text = "";
    let column = NaN;
    let [low, high, count] = [0, 0, 0];
    let broken = true; // a loss that has left the numbers leaves a gap
    const add = (x, y) => {
      if (Number.isFinite(y)) text += `${broken ? "M" : "L"}${round(x)} ${round(y)}`;
      broken = !Number.isFinite(y);
    };
    const flush = () => {
      if (count) add(column, low);
      if (count > 1 && high - low > 0.5) add(column, high);
    };
    const dense = last - first > 1.5 * (px(xs[last - 1]) - px(xs[first]));
    for (let i = first; i < last; i++) {
      const [x, y] = [px(xs[i]), py(ys[i])];
      if (!dense) add(x, y);
      else if (Math.round(x) === column) {
        [low, high, count] = [Math.min(low, y), Math.max(high, y), count + 1];
      } else {
        flush();
        [column, low, high, count] = [Math.round(x), y, y, 1];
      }
    }
    if (dense) flush();
    return text;
  }

  function chart(box, { height = 156, unit = (v, step) => written(v, step), floor = 0, top = null, rows = 4, zoomed = () => null, zoom = () => {} }) {
    const svg = make("svg", box, { role: "img", tabindex: 0, height });
    const id = `clip-${Math.random().toString(36).slice(2)}`;
    const frame = make("rect", make("clipPath", svg, { id }), { y: 0 });
    const grid = make("g", svg, { class: "grid" });
    const body = make("g", svg, { "clip-path": `url(#${id})` });
    const signs = make("g", svg, { class: "marks" });
    const cursor = make("path", svg, { class: "cursor" });
    const chosen = make("rect", svg, { class: "zooming", y: TOP });
    let [width, asked, scale] = [0, null, null];
    let pointed = null; // x under the pointer

    function draw(wanted = asked) {
      asked = wanted;
      width ||= box.clientWidth;
      if (!asked || width < 80) return;
      set(svg, "width", width);
      set(svg, "viewBox", `0 0 ${width} ${height}`);
      const whole = asked.whole;
      const [from, to] = zoomed() ?? whole;
      const right = width - 10;
      const base = height - BOTTOM;
      const px = (x) => LEFT + ((x - from) / (to - from)) * (right - LEFT);
      const limit = ceiling(asked.layers, from, to);
      const step = nice(limit - floor, rows);
      const most = top ?? floor + Math.ceil((limit - floor) / step - 1e-9) * step;
      const py = (y) => base - ((y - floor) / (most - floor)) * (base - TOP);
      scale = { from, to, px, py, right, base, x: (at) => from + ((at - LEFT) / (right - LEFT)) * (to - from) };
      for (const [key, value] of [["x", LEFT - 5], ["width", right - LEFT + 10], ["height", base + 1]]) {
        set(frame, key, value);
      }
      set(chosen, "height", base - TOP);

      let lines = "";
      for (let y = floor; y <= most + step / 1000; y += step) {
        const at = round(py(y));
        lines += `<path d="M${LEFT} ${at}H${right}"/><text x="${LEFT - 7}" y="${at + 4}" text-anchor="end">${unit(y, step)}</text>`;
      }
      const ticks = Math.max(nice(to - from, Math.max(2, (right - LEFT) / 70)), to - from > 2 ? 1 : 0);
      for (let x = Math.ceil(from / ticks - 1e-6) * ticks; x <= to + ticks / 1000; x += ticks) {
        lines += `<text x="${round(px(x))}" y="${height - 6}" text-anchor="middle">${Math.abs(x) < ticks / 1000 ? 0 : written(x, ticks)}</text>`;
      }
      put(grid, `${lines}<text x="${LEFT - 9}" y="${height - 6}" text-anchor="end">epoch</text>`);

      const { layers } = asked;
      while (body.children.length > layers.length) body.lastChild.remove();
      while (body.children.length < layers.length) make("path", body);
      layers.forEach((layer, i) => {
        const part = body.children[i];
        set(part, "class", `${layer.kind} ${layer.hue} ${layer.style ?? ""}`);
        set(part, "d", path(layer, px, py, from, to, most));
        tell(part, layer, from, to, most);
      });
      const marks = asked.marks
        .filter(({ x }) => x >= from && x <= to)
        .map(({ x, text }) => `<g><title>${gnet.escape(text)}</title><path d="M${round(px(x))} ${TOP}V${base}"/>` +
          `<path class="flag" d="M${round(px(x))} ${TOP}l6 3.5l-6 3.5z"/></g>`)
        .join("");
      put(signs, marks);
      set(svg, "aria-label", asked.words);
      point();
    }

    // Dots that lie beyond the plot's upper edge stand there as arrows, and say how high they are.
    function tell(part, { kind, xs, ys, what }, from, to, most) {
      const far = kind === "dots" && what ? ys.flatMap((y, i) => (y > most && xs[i] >= from && xs[i] <= to ? [[xs[i], y]] : [])) : [];
      const text = far.map(([x, y]) => gnet.say("far", { what, value: gnet.number(y), epoch: gnet.number(x) })).join(", ");
      if (text === (part.textContent || "")) return;
      part.replaceChildren();
      if (text) make("title", part).textContent = text;
    }

    function path({ kind, xs, ys, low, look: at = 0 }, px, py, from, to, most) {
      if (!xs.length) return "";
      const first = Math.max(0, place(xs, from) - 1);
      const last = Math.min(xs.length, place(xs, to) + 1);
      if (last <= first) return "";
      if (kind === "dots") {
        const room = (px(to) - px(from)) / (last - first); // px from one dot to the next
        const size = room > 14 ? 4 : room > 7 ? 2.5 : 1.5;
        let text = "";
        for (let i = first; i < last; i++) {
          if (ys[i] > most) text += at < LOOKS ? above(px(xs[i]), TOP) : "";
          else if (Number.isFinite(ys[i])) text += shape(at, px(xs[i]), py(ys[i]), size);
        }
        return text;
      }
      const upper = line(xs, ys, px, py, first, last);
      if (kind !== "area") return upper;
      const under = low ? line(xs, low, px, py, first, last) : `M${round(px(xs[first]))} ${round(py(0))}L${round(px(xs[last - 1]))} ${round(py(0))}`;
      return `${upper}L${under.slice(1).split("L").reverse().join("L")}z`;
    }

    // The largest value to make room for. Faint lines may go beyond it, and whatever lies so high
    // above the lines of the run shown that nothing could be seen of these: dots, other runs.
    function ceiling(layers, from, to) {
      if (top !== null) return top;
      let own = -Infinity;
      const highs = [];
      for (const { kind, xs, ys, style = "", look: at = 0 } of layers) {
        if (style.includes("faint")) continue;
        let high = -Infinity;
        const last = Math.min(xs.length, place(xs, to) + 1);
        for (let i = Math.max(0, place(xs, from) - 1); i < last; i++) if (ys[i] > high) high = ys[i];
        if (kind !== "dots" && !at) own = Math.max(own, high);
        else highs.push([high, kind === "dots" ? FAR : FAR_RUN]);
      }
      const most = Math.max(own, ...highs.map(([high, far]) => (own > floor && high > far * own ? -Infinity : high)));
      return most > floor ? most * 1.04 : floor + 1;
    }

    // The value under the pointer, told to whoever drew the chart.
    function point() {
      const inside = pointed !== null && scale && pointed >= scale.from && pointed <= scale.to;
      set(cursor, "d", inside ? `M${round(scale.px(pointed))} ${TOP}V${scale.base}` : "");
      asked?.read?.(inside ? pointed : null);
    }
    function pointAt(x) {
      pointed = x;
      point();
    }

    const across = (event) => {
      const { left } = svg.getBoundingClientRect();
      return Math.min(scale.right, Math.max(LEFT, event.clientX - left));
    };
    let start = null;
    svg.addEventListener("pointerdown", (event) => {
      if (!scale || event.button) return;
      start = across(event);
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      if (!scale) return;
      const now = across(event);
      pointAt(scale.x(now));
      if (start === null) return;
      chosen.setAttribute("x", Math.min(start, now));
      chosen.setAttribute("width", Math.abs(now - start));
    });
    svg.addEventListener("pointerup", (event) => {
      const now = start === null ? 0 : across(event);
      const ends = start === null || Math.abs(now - start) < 8 ? null : [start, now].sort((a, b) => a - b).map(scale.x);
      finish();
      if (ends) zoom(ends);
    });
    const finish = () => {
      start = null;
      chosen.setAttribute("width", 0);
    };
    svg.addEventListener("pointercancel", finish);
    svg.addEventListener("pointerleave", () => start === null && pointAt(null));
    svg.addEventListener("dblclick", () => zoom(null));
    svg.addEventListener("blur", () => pointAt(null));
    svg.addEventListener("keydown", (event) => {
      if (!scale || event.ctrlKey || event.metaKey || event.altKey) return;
      const { from, to } = scale;
      const middle = pointed ?? (from + to) / 2;
      const around = (times) => {
        const half = ((to - from) * times) / 2;
        const [low, high] = asked.whole;
        const range = [Math.max(low, middle - half), Math.min(high, middle + half)];
        zoom(range[0] <= low && range[1] >= high ? null : range);
      };
      const moves = { ArrowLeft: -1, ArrowRight: 1 };
      if (event.key in moves) pointAt(Math.min(to, Math.max(from, middle + (moves[event.key] * (to - from)) / 60)));
      else if (event.key === "+" || event.key === "=") around(0.5);
      else if (event.key === "-") around(2);
      else if (event.key === "0" || event.key === "Escape") zoom(null);
      else return;
      event.preventDefault();
    });
    new ResizeObserver(([{ contentRect }]) => {
      const now = Math.floor(contentRect.width);
      if (!now || now === width) return;
      width = now;
      draw();
    }).observe(box);
    return { draw, place };
  }

  return Object.assign(chart, { LOOKS, look, sample });
})();
