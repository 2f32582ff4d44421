// Whether the server still answers: asked now and then while the page is looked at, and at once when
// something was refused. A page keeps what it shows, so it says when nobody is behind it any more.
(() => {
  const [EVERY, LOST, PATIENCE] = [5000, 2500, 8000]; // ms between two questions, and for an answer
  const note = document.createElement("p");
  Object.assign(note, { id: "gnet-lost", hidden: true });
  note.setAttribute("role", "alert");
  let misses = 0; // two make it lost; a connection refused counts as two
  let timer = null;

  async function miss() {
    try {
      const { ok } = await fetch("healthz", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      return ok ? 0 : 2;
    } catch (error) {
      return error.name === "TimeoutError" ? 1 : 2;
    }
  }

  async function ask() {
    clearTimeout(timer);
    if (!document.hidden) {
      const missed = await miss();
      misses = missed ? misses + missed : 0;
      show(misses > 1);
    }
    clearTimeout(timer);
    timer = setTimeout(ask, misses ? LOST : EVERY);
  }

  function show(lost) {
    document.documentElement.classList.toggle("gnet-away", lost);
    if (!note.isConnected) document.body.append(note);
    note.hidden = !lost;
    note.textContent = lost ? gnet.say(navigator.onLine ? "server stopped" : "offline") : "";
  }

  for (const kind of ["online", "offline", "visibilitychange"]) addEventListener(kind, ask);
  document.addEventListener("gnet-settled", ({ detail }) => detail.answered || ask());
  timer = setTimeout(ask, EVERY);
})();
