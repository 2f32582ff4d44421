// The menu of networks: what there is, a download with its progress, a file of one's own.
const find = (selector) => element.querySelector(selector);
const [dialog, groups, file, trouble, progress] = ["dialog", ".groups", "input", ".trouble", ".own .progress"].map(find);
const { nets } = gnet;
const AGAIN = 500; // ms between two looks at a download
let drawn = ""; // the rows as they are drawn
let wanted = null; // the network that this viewer is having downloaded
let timer = null;

nets.serve(server);
document.addEventListener("gnet-networks-open", () => {
  say("");
  draw();
  dialog.showModal();
  nets.list();
});
find(".close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

function say(words) {
  trouble.textContent = words;
}

function row({ net, name, facts, state, words, part }) {
  const { escape } = gnet;
  const here = state === "here";
  const told = [facts, words].filter(Boolean).map((text) => `<small>${escape(text)}</small>`).join("");
  const fetch = state === "absent" ? `<button type="button" class="fetch" data-fetch="${net}">${gnet.say("network download")}</button>` : "";
  const bar =
    state === "fetching"
      ? `<div class="progress" role="progressbar" aria-label="${escape(words)}" aria-valuemin="0" aria-valuemax="100"` +
        ` aria-valuenow="${Math.round(100 * part)}"><i style="width:${100 * part}%"></i></div>`
      : "";
  return (
    `<li><button type="button" class="take" data-net="${escape(net)}" aria-pressed="${net === gnet.state.net}"${here ? "" : " disabled"}>` +
    `<b>${escape(name)}</b>${told}</button>${fetch}${bar}</li>`
  );
}

function draw() {
  const { found } = nets;
  const html = found.groups.map(({ title, rows }) => `<h3>${title}</h3><ul>${rows.map(row).join("")}</ul>`).join("");
  if (html !== drawn) {
    const kept = groups.contains(document.activeElement) ? { ...document.activeElement.dataset } : {};
    groups.innerHTML = drawn = html;
    for (const [key, value] of Object.entries(kept)) groups.querySelector(`[data-${key}="${CSS.escape(value)}"]`)?.focus();
  }
  find(".own").hidden = !found.takes_files;
  find(".hint").textContent = gnet.say("network file", { megabytes: Math.round(found.most_bytes / 1e6) });
}

function take(net) {
  wanted = null;
  dialog.close();
  if (net !== gnet.state.net) gnet.look(net);
}

async function bring(net) {
  wanted = net;
  const { error } = await server.fetch({ net });
  say(error ?? "");
  nets.list();
}

groups.addEventListener("click", (event) => {
  const { net, fetch: absent } = event.target.closest("button")?.dataset ?? {};
  if (absent !== undefined) bring(absent);
  else if (net !== undefined) take(net);
});

// A download is looked at as long as the menu is open; what was waited for is then taken.
document.addEventListener("gnet-networks", () => {
  draw();
  clearTimeout(timer);
  if (!dialog.open) return;
  if (wanted !== null && nets.rows().some(({ net, state }) => net === wanted && state === "here")) return take(wanted);
  if (nets.rows().some(({ state }) => state === "fetching")) timer = setTimeout(nets.list, AGAIN);
});

function show(part) {
  gnet.sending.show(progress, part);
  if (part === 1) say(gnet.say("network checking"));
}

async function give(given) {
  if (!given) return;
  const { most_bytes } = nets.found;
  const megabytes = Math.round(most_bytes / 1e6);
  if (given.size > most_bytes) return say(gnet.say("network too large", { given: Math.round(given.size / 1e6), megabytes }));
  say("");
  find(".file").disabled = true;
  progress.hidden = false;
  show(0);
  try {
    const answer = await gnet.sending.send("network", given, show);
    say(answer.error ?? "");
    if (!answer.error) {
      nets.keep(answer);
      take(answer.net);
    }
  } catch {
    say(gnet.say("network lost"));
  }
  find(".file").disabled = false;
  progress.hidden = true;
}

find(".file").addEventListener("click", () => file.click());
file.addEventListener("change", () => {
  give(file.files[0]);
  file.value = "";
});
