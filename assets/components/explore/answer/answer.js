// Hands each answer to the page. The picture is decoded first, so all is drawn at one stroke.
let latest = 0;
let served = null; // the network that is there from the start
async function arrived() {
  const turn = ++latest;
  const answer = await gnet.decoded(JSON.parse(props.value));
  served ??= JSON.parse(JSON.stringify(props.network));
  if (turn === latest) gnet.arrive(answer.network ?? served, answer);
}
watch("value", arrived);
arrived();
