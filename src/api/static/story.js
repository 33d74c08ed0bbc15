// A deal's whole history, told by the ledger, and what of it was known, or had happened, at the page's pair of dates.

import { get, make } from "./dom.js";
import { fill, instant, localDay, longDate, number, page, say, span } from "./format.js";
import { ask } from "./ledger.js";
import { pairOf } from "./position.js";
import { trouble } from "./trouble.js";

const SHOWN = 500;
const DOTS = { "deal.won": "won", "deal.lost": "ended", "deal.abandoned": "ended", "deal.merged": "ended" };

const stamp = (label, at) => [`${label} `, make("time", { dateTime: at }, instant(at))];

const badge = (text) => make("span", { className: "badge" }, text);

/** A retraction or correction, and what a correction changed; `later` where it was not yet known. */
function amendment({ text, changes = [] }, className, later) {
  return make("div", { className: `amendment ${className}${later ? " later" : ""}` },
    make("p", {}, text, ...(later ? [" ", badge(later)] : [])),
    ...changes.map((change) => make("p", { className: "said" }, change.text)));
}

/** `then` is the entry as it was known at the page's dates, undefined for what was not; `now` with all that is known. */
function row(now, then, { asOf, restated }) {
  const known = restated ? span.today : asOf;
  const unknown = fill(say.history.unknown_then, { date: longDate(known) });
  const shown = then ?? now;
  const effective = localDay(shown.effective_at);
  const badges = [];
  if (localDay(now.recorded_at) > known) badges.push(unknown);
  else if (effective > asOf) badges.push(fill(say.history.not_yet, { date: longDate(asOf) }));
  const left = (shown.changes ?? []).filter((change) => !change.in_sentence);
  const knownThen = new Set((then?.corrections ?? []).map((each) => each.version));
  const corrections = [...(then?.corrections ?? []), ...(now.corrections ?? []).filter((each) => !knownThen.has(each.version))];
  const retraction = then?.retracted ?? now.retracted;
  const late = (was) => then !== undefined && !was && unknown;
  const struck = shown.retracted !== undefined;
  const stamps = shown.effective_at === shown.recorded_at
    ? stamp(say.history.both, shown.effective_at)
    : [...stamp(say.history.effective, shown.effective_at), make("br"), ...stamp(say.history.recorded, shown.recorded_at)];
  if (shown.late !== undefined) stamps.push(` (${shown.late})`);
  const classes = [DOTS[shown.type], badges.length && "outside", struck && "retracted", shown.amends && "amends"];
  return make("li", { className: classes.filter(Boolean).join(" ") },
    make("h3", {}, struck ? make("s", {}, shown.text) : shown.text),
    ...(badges.length ? [make("p", {}, ...badges.map(badge))] : []),
    ...left.map((change) => make("p", { className: "said" }, change.text)),
    ...corrections.map((each) => amendment(each, "correction", late(knownThen.has(each.version)))),
    ...(retraction === undefined ? [] : [amendment(retraction, "retraction", late(then?.retracted))]),
    make("p", {}, ...stamps),
    make("p", {}, fill(say.history.version, { version: shown.version, position: number(shown.position) }), " · ",
      fill(say.history.by, { actor: shown.actor })));
}

async function tell(line, state) {
  const path = `streams/${encodeURIComponent(line.stream)}`;
  const lang = page.language;
  const [then, now] = await Promise.all([ask(path, { ...pairOf(state), lang }), ask(path, { lang })]);
  const known = new Map(then.life.map((entry) => [entry.version, entry]));
  get("history-heading").textContent = then.name ?? now.name ?? line.title ?? line.stream;
  get("events").replaceChildren(...now.life.slice(0, SHOWN).map((entry) => row(entry, known.get(entry.version), state)));
  if (now.life.length > SHOWN) get("events").append(make("li", {}, fill(say.history.truncated, { count: number(SHOWN) })));
}

/** Opens with the history, or with what kept it from being read. */
export async function showStory(line, state) {
  try {
    await tell(line, state);
  } catch (error) {
    get("history-heading").textContent = line.title ?? line.stream;
    get("events").replaceChildren(make("li", { className: "outside" }, ...trouble(error, () => showStory(line, state))));
  }
  if (!get("history").open) get("history").showModal();
  get("history").scrollTop = 0;
}
