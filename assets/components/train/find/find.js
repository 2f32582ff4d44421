// Asks how long an epoch takes whenever the form rests, and for the finder's curve when told to.
const find = (selector) => element.querySelector(selector);
const { state, EVER } = gnet.train;
const { number } = gnet;
let found = null;
let outdated = false; // whether the form has changed since a rate was asked for
let later = false; // whether an estimate has to wait for the end of a run
let using = false; // whether it changes because the rate found is taken

function curve({ rates, losses, suggested }) {
  const known = rates.map((rate, i) => [Math.log10(rate), losses[i]]).filter(([, loss]) => Number.isFinite(loss));
  const [left, right] = [known[0][0], known.at(-1)[0]];
  const low = Math.min(...known.map(([, loss]) => loss));
  const high = Math.min(Math.max(known[0][1], low) * 1.25, Math.max(...known.map(([, loss]) => loss)));
  const x = (at) => 30 + (220 * (at - left)) / (right - left || 1);
  const y = (loss) => 72 - 64 * Math.min(1.08, (loss - low) / (high - low || 1));
  const line = known.map(([at, loss], i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(loss).toFixed(1)}`).join("");
  let ticks = "";
  for (let at = Math.ceil(left); at <= right; at++) {
    ticks += `<text x="${x(at)}" y="88" text-anchor="middle">${number(10 ** at)}</text>`;
  }
  const mark = x(Math.log10(suggested)).toFixed(1);
  find("svg").innerHTML =
    `<path class="rule" d="M30 72H250M30 8H250"/><text x="25" y="76" text-anchor="end">${number(low)}</text>` +
    `<text x="25" y="12" text-anchor="end">${number(high)}</text>${ticks}<path class="mark" d="M${mark} 6V74"/><path d="${line}"/>`;
  find("svg").setAttribute("aria-label", gnet.say("rates", { rate: number(suggested) }));
}

watch("value", () => {
  const answer = JSON.parse(props.value);
  if (answer.waiting) return;
  if ("trouble" in answer) {
    find(".trouble").textContent = answer.trouble;
    gnet.train.choose({ takes: answer.takes });
    later = Boolean(answer.later);
    return;
  }
  busy(false);
  if (outdated) return;
  found = answer;
  find(".found").hidden = false;
  curve(found);
  const rate = number(found.suggested);
  find(".found p").textContent = gnet.say("rate found", { rate });
  find(".use").textContent = gnet.say("use rate", { rate });
});

function busy(on) {
  find(".ask").disabled = on;
  find(".ask").textContent = gnet.say(on ? "finding" : "find rate");
}
find(".ask").hidden = !props.enabled;
find(".ask").addEventListener("click", () => {
  outdated = false;
  busy(true);
  trigger("find");
});
find(".use").addEventListener("click", () => {
  using = true;
  trigger("use", { rate: found.suggested });
});
document.addEventListener("gnet-settled", ({ detail }) => detail.what === "find" && busy(false));

// What was found holds for the form it was found for.
function formChanged() {
  if (!using) find(".found").hidden = outdated = true;
  using = false;
}

// Beside a run an estimate would be wrong, and would slow the run down: the answer says so.
let asked = false;
let beside = false; // whether a run was under way
gnet.train.draw((changed) => {
  if (asked && changed("filled")) formChanged();
  const own = state.rows.some((row) => EVER.includes(row.state));
  const before = beside;
  beside = own || state.queue.running > 0;
  if (asked && !changed("form") && !((before || (later && changed("rows"))) && !beside)) return;
  if (!props.enabled || !state.ready || !state.form) return;
  asked = true;
  trigger("estimate");
});
