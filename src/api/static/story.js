// A deal's whole history, told by the ledger, and what of it was known, or had happened, at the page's pair of dates.

import { get, make } from "./dom.js";
import { fill, instant, localDay, longDate, number, page, say, span } from "./format.js";
import { ask } from "./ledger.js";

const SHOWN = 500;
const DOTS = { "deal.won": "won", "deal.lost": "ended", "deal.abandoned": "ended", "deal.merged": "ended" };

const stamp = (label, at) => [`${label} `, make("time", { dateTime: at }, instant(at))];

/** A retraction or correction, and what a correction changed; dimmed where it was not yet known. */
function amendment({ text, recorded_at: at, changes = [] }, className, known) {
  const later = localDay(at) > known;
  return make("div", { className: `amendment ${className}${later ? " later" : ""}` },
    make("p", {}, text, ...(later ? [" ", badge(fill(say.history.unknown_then, { date: longDate(known) }))] : [])),
    ...changes.map((change) => make("p", { className: "said" }, change.text)));
}

const badge = (text) => make("span", { className: "badge" }, text);

function row(entry, { asOf, restated }) {
  const known = restated ? span.today : asOf;
  const recorded = localDay(entry.recorded_at);
  const effective = localDay(entry.effective_at);
  const badges = [];
  if (recorded > known) badges.push(fill(say.history.unknown_then, { date: longDate(known) }));
  else if (effective > asOf) badges.push(fill(say.history.not_yet, { date: longDate(asOf) }));
  const { retracted, corrections = [], changes = [] } = entry;
  const undone = retracted !== undefined && localDay(retracted.recorded_at) <= known;
  const left = changes.filter((change) => !change.in_sentence);
  const stamps = entry.effective_at === entry.recorded_at
    ? stamp(say.history.both, entry.effective_at)
    : [...stamp(say.history.effective, entry.effective_at), make("br"), ...stamp(say.history.recorded, entry.recorded_at)];
  if (entry.late !== undefined) stamps.push(` (${entry.late})`);
  const classes = [DOTS[entry.type], badges.length && "outside", undone && "retracted", entry.amends && "amends"];
  return make("li", { className: classes.filter(Boolean).join(" ") },
    make("h3", {}, undone ? make("s", {}, entry.text) : entry.text),
    ...(badges.length ? [make("p", {}, ...badges.map(badge))] : []),
    ...left.map((change) => make("p", { className: "said" }, change.text)),
    ...corrections.map((each) => amendment(each, "correction", known)),
    ...(retracted === undefined ? [] : [amendment(retracted, "retraction", known)]),
    make("p", {}, ...stamps),
    make("p", {}, fill(say.history.version, { version: entry.version, position: number(entry.position) }), " · ",
      fill(say.history.by, { actor: entry.actor })));
}

export async function showStory(line, state) {
  const { name, life } = await ask(`streams/${encodeURIComponent(line.stream)}`, { lang: page.language });
  get("history-heading").textContent = name ?? line.title ?? line.stream;
  get("events").replaceChildren(...life.slice(0, SHOWN).map((entry) => row(entry, state)));
  if (life.length > SHOWN) get("events").append(make("li", {}, fill(say.history.truncated, { count: number(SHOWN) })));
  get("history").showModal();
  get("history").scrollTop = 0;
}
