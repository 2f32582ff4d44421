// Hands each answer to the page. The picture is decoded first, so all is drawn at one stroke.
let latest = 0;
let network = null;
async function arrived() {
  const turn = ++latest;
  const answer = await gnet.decoded(JSON.parse(props.value));
  network ??= JSON.parse(JSON.stringify(props.network));
  if (turn === latest) gnet.arrive(network, answer);
}
watch("value", arrived);
arrived();
