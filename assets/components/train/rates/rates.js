// The learning rate over the run, and how fast it goes.
const { shown, zooming } = gnet.train;
const { number } = gnet;
const chart = (name) => gnet.chart(element.querySelector(name), { ...zooming, height: 96, rows: 2 });
const [rate, speed] = [chart(".rate"), chart(".speed")];
const nothing = { epochs: 5, marks: [], x: [], rate: [], speed: [] };

gnet.train.draw((changed) => {
  if (!changed("events", "run", "zoom")) return;
  const track = shown()?.run ? shown() : nothing;
  const draw = (part, ys, title) =>
    part.draw({
      whole: [0, track.epochs], marks: track.marks, words: `${title}, now ${number(ys.at(-1) ?? 0)}`,
      layers: [{ kind: "line", hue: "plain", xs: track.x, ys }],
    });
  draw(rate, track.rate, gnet.say("rate title"));
  draw(speed, track.speed, gnet.say("speed title"));
});
