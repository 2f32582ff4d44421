// Gradio's sign of loading counts on sixty times a second after it has gone, which costs a phone its
// battery. Once the page stands, nothing shows that count, so it ends. Runs before Gradio's scripts.
(() => {
  const draw = window.requestAnimationFrame.bind(window);
  const counts = (frame) => frame.length === 0 && String(frame).includes("performance.now()");
  const stands = () => document.documentElement.classList.contains("gnet-ready");
  window.requestAnimationFrame = (frame) => (stands() && counts(frame) ? 0 : draw(frame));
})();
