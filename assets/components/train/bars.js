// Bars side by side for each module: how much of its gradient comes from which head's loss.
gnet.bars = (() => {
  const MODULES = ["stem", "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"];
  const HEIGHT = 139;
  const [LEFT, TOP, BOTTOM] = [45, 8, 22];
  const { number, escape, say } = gnet;

  // The end of the axis: a round number; it shrinks only when there is much room.
  function limit(most, before) {
    if (!(most > 0)) return before || 1;
    if (before >= most && before < 3 * most) return before;
    const power = 10 ** Math.floor(Math.log10(most));
    return power * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((times) => times * power >= most);
  }

  return function bars(box) {
    let [asked, every, most, width, drawn] = [null, 0, 0, 0, null];
    const tip = document.createElement("p");
    tip.className = "tip";
    const holder = document.createElement("div");
    box.append(holder, tip);

    function draw(measured = asked, steps = every, again = true) {
      [asked, every] = [measured, steps];
      width ||= box.clientWidth;
      if (width < 80 || (measured && drawn === measured && !again)) return;
      drawn = measured;
      const { heads } = gnet.train.state;
      const shown = gnet.train.HEADS.filter((head) => heads.has(head));
      const norms = measured?.norms ?? {};
      const values = Object.values(norms).flatMap((of) => shown.map((head) => of[head] ?? 0));
      most = limit(Math.max(0, ...values), most);
      const [right, base] = [width - 10, HEIGHT - BOTTOM];
      const y = (value) => base - (value / most) * (base - TOP);
      const room = (right - LEFT) / MODULES.length;
      const bar = Math.max(3, Math.min(9, Math.floor((room - 8) / 3)));
      let text = "";
      for (let i = 0; i <= 2; i++) {
        const at = y((most * i) / 2).toFixed(1);
        text += `<path class="rule" d="M${LEFT} ${at}H${right}"/><text x="${LEFT - 7}" y="${+at + 4}" text-anchor="end">${number((most * i) / 2)}</text>`;
      }
      MODULES.forEach((name, i) => {
        const left = LEFT + i * room + (room - 3 * bar - 2) / 2;
        const parts = gnet.train.HEADS.map((head, j) => {
          const value = heads.has(head) ? norms[name]?.[head] : 0;
          if (!value) return "";
          return `<rect class="${head}" x="${(left + j * (bar + 1)).toFixed(1)}" y="${y(value).toFixed(1)}" width="${bar}" height="${Math.max(0.5, base - y(value)).toFixed(1)}"/>`;
        }).join("");
        text +=
          `<g data-module="${name}"><rect class="hit" x="${LEFT + i * room}" y="${TOP}" width="${room}" height="${HEIGHT - TOP}"/>${parts}` +
          `<text x="${(LEFT + (i + 0.5) * room).toFixed(1)}" y="${HEIGHT - 6}" text-anchor="middle">${name}</text></g>`;
      });
      holder.innerHTML =
        `<svg role="img" tabindex="0" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" aria-label="${escape(words())}">${text}</svg>`;
      tell(at);
    }

    function words() {
      if (!asked) return say("no gradients");
      return say("gradients", { norms: MODULES.filter((m) => asked.norms[m]).map((m) => said(m)).join("; ") });
    }
    const said = (name) =>
      `${name} ${gnet.train.HEADS.filter((h) => asked.norms[name][h]).map((h) => `${h} ${number(asked.norms[name][h])}`).join(", ")}`;

    const lost = (name) => asked.norms[name].main === null; // it has left the numbers

    // What is known of one module, on a line of its own below the bars.
    let at = null;
    function tell(name) {
      at = name;
      for (const part of holder.querySelectorAll("[data-module]")) {
        part.classList.toggle("at", part.dataset.module === at);
      }
      if (!asked) {
        tip.textContent = say(every ? "gradients later" : "gradients never");
      } else if (!asked.norms[name]) {
        tip.textContent = say(Object.keys(asked.norms).every(lost) ? "gradients lost" : "gradients at", asked);
      } else {
        const angles = Object.entries(asked.cosines[name] ?? {}).filter(([, value]) => value !== null).map(([pair, value]) => `${pair} ${value.toFixed(2).replace("-", "−")}`);
        const norms = said(name);
        if (lost(name)) tip.textContent = say("gradient lost", { module: name });
        else tip.textContent = angles.length ? say("gradient", { norms, angles: angles.join(", ") }) : norms;
      }
    }

    const module = (event) => event.target.closest?.("[data-module]")?.dataset.module ?? null;
    holder.addEventListener("pointermove", (event) => tell(module(event)));
    holder.addEventListener("pointerleave", () => tell(null));
    holder.addEventListener("focusout", () => tell(null));
    holder.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = MODULES.indexOf(at) + step;
      tell(MODULES[at === null ? 0 : Math.min(MODULES.length - 1, Math.max(0, next))]);
    });
    new ResizeObserver(([{ contentRect }]) => {
      const now = Math.floor(contentRect.width);
      if (!now || now === width) return;
      width = now;
      draw();
    }).observe(box);
    return { draw };
  };
})();
