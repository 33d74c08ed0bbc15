// The four headline figures, and what each has become since.

import { get, make } from "./dom.js";
import { deals, fill, money, moneyParts, monthName, monthShort, percent, say } from "./format.js";
import { addMonths } from "./dates.js";

function put(name, minor, { aside, now }) {
  const figure = get(`figure-${name}`);
  const value = moneyParts(minor).map(([text, isFraction]) => (isFraction ? make("small", {}, text) : text));
  figure.querySelector(".value").replaceChildren(...value);
  figure.querySelector(".aside").textContent = aside;
  figure.querySelector(".change").replaceChildren(...change(minor, now));
}

/** What it is now, and by how much that differs; nothing when no comparison makes sense. */
function change(then, now) {
  if (now === null) return [];
  if (now === then) return [say.figures.same];
  const text = fill(say.figures.now, { value: money(now) });
  if (then <= 0 || now > 3 * then) return [text];
  const sign = now > then ? "+" : "−";
  return [make("span", { className: now > then ? "more" : "less" }, `${sign}${percent(Math.abs(now - then) / then, 1)}`), ` · ${text}`];
}

export function showFigures(at, now) {
  const compared = (name) => (now ? now[name] : null);
  put("open", at.open, { aside: deals(at.deals), now: compared("open") });
  put("weighted", at.weighted, { aside: say.figures.weighted_help, now: compared("weighted") });
  put("won_month", at.wonMonth, { aside: deals(at.wonDeals), now: compared("wonMonth") });
  put("won_quarter", at.wonQuarter, {
    aside: fill(say.figures.quarter_span, {
      from: monthShort(at.quarter), to: `${monthShort(addMonths(at.quarter, 2))} ${addMonths(at.quarter, 2).slice(0, 4)}`,
    }),
    now: compared("wonQuarter"),
  });
  nameMonth(at.month);
}

/** Dashes, for a date whose answer did not come. */
export function blankFigures(month) {
  for (const name of ["open", "weighted", "won_month", "won_quarter"]) put(name, null, { aside: "", now: null });
  nameMonth(month);
}

function nameMonth(month) {
  get("figure-won_month").querySelector("h2").textContent = fill(say.figures.won_month, { month: monthName(month) });
}
