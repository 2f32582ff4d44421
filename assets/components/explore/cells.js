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
      `${gnet.fixed(value)}</button></td>`
    );
  }

  const empty = (head) => `<td title="${gnet.say("behind", { head })}">–</td>`;

  // An answer about all branches that is computed once somebody wants it, and then follows picture,
  // head and class: on its `button`, or where the lanes are coloured by it. Returns what to call when
  // something has changed.
  function follow(name, { button: start, dimmed, ask }) {
    let asked = "";
    let wanted = false;
    let deferred = false; // whether another picture was on its way when it was to be asked
    function send() {
      const question = { key: state.whole.key, head: state.head, class_index: gnet.target() };
      const words = JSON.stringify(question);
      if (words === asked || question.class_index === null) return;
      asked = words;
      dimmed.classList.add("dim");
      setTimeout(() => {
        deferred = state.waiting.answer;
        if (deferred) return void (asked = "");
        start.disabled = true;
        ask(question);
      }); // once the page is up
    }
    start.addEventListener("click", () => {
      wanted = true;
      send();
    });
    document.addEventListener("gnet-settled", ({ detail: { what, answered } }) => {
      if (what !== name) return;
      start.disabled = false;
      dimmed.classList.remove("dim");
      if (!answered) asked = "";
    });
    return (changed) => {
      wanted ||= state.lanes === name;
      const now = ["answer", "lanes", "head", "target"].some((what) => changed.has(what));
      if (wanted && (now || (deferred && changed.has("waiting")))) send();
    };
  }

  // A cell is a switch: it sets its branch as it says, and the second time on again. Returns what
  // marks the cells that are set so.
  function switches(box) {
    box.addEventListener("click", (event) => {
      const { cell: name, setting } = event.target.dataset;
      if (!name) return;
      const [stage, branch] = name.split("/");
      gnet.choose({ stage, branch: null });
      gnet.switching.set(stage, branch, gnet.switching.of(stage, branch) === setting ? "1" : setting);
    });
    return () => {
      const all = gnet.switching.read();
      for (const one of box.querySelectorAll("[data-cell]")) {
        one.ariaPressed = String(all[one.dataset.cell] === one.dataset.setting);
      }
    };
  }

  return { table, button, ink, empty, follow, switches };
})();
