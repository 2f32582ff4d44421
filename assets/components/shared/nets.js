// The networks that can be shown, as the server lists them, and which files this browser tab has given.
// A file is known to the server by a token; an address holds its name alone, for nobody else has it.
gnet.nets = (() => {
  const KEY = "gnet-networks"; // where this tab keeps its files: [{ net, name }]
  const files = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  const found = { groups: [], takes_files: false, most_bytes: 0 };
  let server = null;

  const inAddress = (text) =>
    (text ?? "").replace(/file-[\w-]{22}/, (id) => `file:${files.find(({ net }) => net === id)?.name ?? ""}`);
  const named = (text) =>
    (text ?? "").replace(/file:(.*)$/, (given, name) => files.find((one) => one.name === name)?.net ?? given);

  // A file that the server has taken; one of the same name takes the place of the older one.
  function keep({ net, name }) {
    files.splice(0, files.length, ...files.filter((one) => one.name !== name), { net, name });
    sessionStorage.setItem(KEY, JSON.stringify(files));
  }

  const owner = () => gnet.train?.owner ?? "";
  async function list() {
    const answer = await server.networks({ owner: owner(), files: files.map(({ net }) => net) });
    if (answer.groups) Object.assign(found, answer);
    document.dispatchEvent(new Event("gnet-networks"));
  }
  const rows = () => found.groups.flatMap((group) => group.rows);

  return { found, inAddress, named, keep, list, rows, serve: (functions) => (server = functions) };
})();
