// A text for learners, folded away: what one sees, what to try, what it cannot show.
gnet.learning = (() => {
  const { escape, say } = gnet;
  const written = new WeakMap();
  const put = (details, texts) => {
    const rows = [["learn see", texts.see], ["learn try", texts.try], ["learn limits", texts.limits]];
    const html =
      `<summary>${escape(say("learn"))}</summary>` +
      `<dl>${rows.map(([label, text]) => `<dt>${escape(say(label))}</dt><dd>${gnet.marked(text)}</dd>`).join("")}</dl>`;
    if (written.get(details) === html) return; // somebody may be reading it
    written.set(details, html);
    details.innerHTML = html;
  };
  return { put };
})();
