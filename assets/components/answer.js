// Hands each answer to the page. The picture is decoded first, so all is drawn at one stroke.
const plain = (value) => JSON.parse(JSON.stringify(value));
let latest = 0;
async function arrived() {
  const turn = ++latest;
  const answer = await gnet.decoded(plain(props.value));
  if (turn === latest) gnet.arrive(plain(props.network), answer);
}
watch("value", arrived);
arrived();
