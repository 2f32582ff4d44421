// A text for learners, folded away: what one sees, what to try, what it cannot show.
gnet.learning = (() => {
  const { escape, say } = gnet;
  // `details` is the empty element, `texts` are its parts as { see, try, limits }.
  function put(details, texts) {
    const rows = [["learn see", texts.see], ["learn try", texts.try], ["learn limits", texts.limits]];
    details.innerHTML =
      `<summary>${escape(say("learn"))}</summary>` +
      `<dl>${rows.map(([label, text]) => `<dt>${escape(say(label))}</dt><dd>${escape(text)}</dd>`).join("")}</dl>`;
  }
  return { put };
})();
