// Gradio's sign of loading counts seconds sixty times a second, also after it has gone, which costs
// a phone its battery. Once the page stands, nothing shows them, so the count ends. Its frame is
// ()=>{F(Pe,(performance.now()-w(de))/1e3),W&&ze()}, whatever the names. Runs before Gradio's scripts.
(() => {
  const draw = window.requestAnimationFrame.bind(window);
  const counts = (frame) => /^\(\)=>\{[^{}]*performance\.now\(\)[^{}]*\/1e3\),\w+&&\w+\(\)\}$/.test(frame);
  const stands = () => document.documentElement.classList.contains("gnet-ready");
  window.requestAnimationFrame = (frame) => (stands() && counts(frame) ? 0 : draw(frame));
})();
