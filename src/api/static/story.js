// A deal's whole history, and what of it was known, or had happened, at the page's pair of dates.

import { daysBetween } from "./dates.js";
import { get, make } from "./dom.js";
import { fill, instant, localDay, longDate, money, number, percent, say, shortDate, span } from "./format.js";
import { ask } from "./ledger.js";

const LIMIT = 500;
const DOTS = { "deal.won": "won", "deal.lost": "ended", "deal.abandoned": "ended", "deal.merged": "ended" };

/** One field's value as people read it. */
function written(name, value) {
  if (value === null) return "–";
  if (value.currency !== undefined) return money(value.minor, value.currency);
  if (value.$sealed !== undefined) return say.history.withheld;
  if (name === "probability_bp") return percent(value / 10_000, 2);
  if (name === "category") return say.category[value] ?? value;
  if (name === "stage") return span.stages.find((each) => each.stage === value)?.name ?? value;
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return shortDate(value);
  if (name === "effective_at") return instant(value);
  if (name === "lines") return number(value.length);
  if (typeof value === "object") return Object.entries(value).map(([key, each]) => `${say.field[key] ?? key} ${written(key, each)}`).join(", ");
  return String(value);
}

/** The fields of an event; ids that the deal's line has names for are written as those. */
const said = (data, line) => Object.entries(data).map(([name, value]) => {
  const text = line.names[name] && line.dimensions[name] === value ? line.names[name] : written(name, value);
  return `${say.field[name] ?? name} ${text}`;
}).join(" · ");

/** Retractions and corrections in force once all is known, by the version they speak of. */
function modifiers(events) {
  const undone = new Set();
  const corrected = new Set();
  for (const event of [...events].reverse()) {
    if (undone.has(event.version)) continue;
    if (event.type === "event.retracted") undone.add(event.data.version);
    if (event.type === "event.corrected") corrected.add(event.data.version);
  }
  return { undone, corrected };
}

function row(event, line, { asOf, restated }, { undone, corrected }) {
  const known = restated ? span.today : asOf;
  const recorded = localDay(event.recorded_at);
  const effective = localDay(event.effective_at);
  const late = daysBetween(effective, recorded);
  const badges = [];
  if (recorded > known) badges.push(fill(say.history.unknown_then, { date: longDate(known) }));
  else if (effective > asOf) badges.push(fill(say.history.not_yet, { date: longDate(asOf) }));
  if (undone.has(event.version)) badges.push(say.history.retracted);
  else if (corrected.has(event.version)) badges.push(say.history.corrected);
  const outside = recorded > known || effective > asOf;
  const stamp = (label, at) => [`${label} `, make("time", { dateTime: at }, instant(at))];
  const stamps = event.effective_at === event.recorded_at
    ? stamp(say.history.both, event.effective_at)
    : [...stamp(say.history.effective, event.effective_at), make("br"), ...stamp(say.history.recorded, event.recorded_at)];
  if (late > 0) stamps.push(` (${late === 1 ? say.history.late_one : fill(say.history.late, { days: number(late) })})`);
  return make("li", { className: [DOTS[event.type], outside && "outside", undone.has(event.version) && "retracted"].filter(Boolean).join(" ") },
    make("h3", {}, say.event[event.type] ?? event.type),
    ...(badges.length ? [make("p", {}, ...badges.map((text) => make("span", { className: "badge" }, text)))] : []),
    make("p", { className: "said" }, said(event.data, line)),
    make("p", {}, ...stamps),
    make("p", {}, fill(say.history.version, { version: event.version, position: number(event.position) }), " · ",
      fill(say.history.by, { actor: event.actor })));
}

export async function showStory(line, state) {
  const { events } = await ask("events", { stream: line.stream, limit: LIMIT });
  const marks = modifiers(events);
  get("history-heading").textContent = line.title ?? line.stream;
  get("events").replaceChildren(...events.map((event) => row(event, line, state, marks)));
  if (events.length === LIMIT) get("events").append(make("li", {}, fill(say.history.truncated, { count: number(LIMIT) })));
  get("history").showModal();
  get("history").scrollTop = 0;
}
