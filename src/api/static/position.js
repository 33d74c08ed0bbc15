// What the ledger answers for one pair of dates, arranged for the page.

import { addMonths, monthEnd, monthOf, monthsFrom, quarterStart } from "./dates.js";
import { counted, major, say, span } from "./format.js";
import { ask } from "./ledger.js";

const PAST_MONTHS = 5;
const ASIDE = ["overdue", "later", "undated"];

export const pairOf = ({ asOf, restated }) => ({
  as_of: asOf === span.today ? "now" : asOf,
  known_at: restated ? "now" : undefined,
});

export const soldIn = (from, to) => ({ by: "month", period: `${from}-01..${monthEnd(to)}` });

/** The forecast by stage and the months of sales around a date. */
export async function positionAt(state, fiscalStart, signal) {
  const month = monthOf(state.asOf);
  const pair = pairOf(state);
  const past = addMonths(month, -PAST_MONTHS);
  const [forecast, sales] = await Promise.all([
    ask("reports/forecast", { by: "stage", ...pair }, signal),
    ask("reports/sales", { ...soldIn(past, month), ...pair }, signal),
  ]);
  const won = wonByMonth(sales);
  const quarter = quarterStart(month, fiscalStart);
  return {
    asOf: state.asOf, month, quarter, forecast, won,
    slots: [...monthsFrom(past, PAST_MONTHS + 12), "gap", ...ASIDE],
    open: forecast.totals.amount_minor,
    deals: forecast.totals.deals,
    weighted: forecast.totals.weighted_minor,
    wonMonth: sumOver(won, [month]),
    wonAround: sales.rows.reduce((sum, row) => sum + row.won, 0),
    wonDeals: sales.rows.find((row) => row.month === month)?.won ?? 0,
    wonQuarter: sumOver(won, monthsFrom(quarter, 3)),
  };
}

export const wonByMonth = (sales) => new Map(sales.rows.map((row) => [row.month, row.amount_minor]));

/** What these months have won; null where it is unknown of all that have won something. */
export function sumOver(won, months) {
  const found = months.filter((month) => won.has(month)).map((month) => won.get(month));
  const known = found.filter((amount) => amount !== null);
  return found.length && !known.length ? null : known.reduce((sum, amount) => sum + amount, 0);
}

/** Why there is no bar: deals without an amount are not nothing. */
export function whyEmpty({ deals, open, wonAround }) {
  if (deals) return counted(deals, open ? say.chart.without_weight : say.chart.without_amount);
  return wonAround ? counted(wonAround, say.chart.won_without_amount) : say.chart.none;
}

/** Open amounts by slot, then by stage: `{amount, weighted, deals}`. */
export function openBySlot(forecast) {
  const found = new Map();
  for (const row of forecast.rows) {
    if (!found.has(row.month)) found.set(row.month, new Map());
    found.get(row.month).set(row.stage, { amount: row.amount_minor, weighted: row.weighted_minor, deals: row.deals, name: row.stage_name });
  }
  return found;
}

/** Rows for the chart; every slot has one at least, so that months without a deal keep their place. */
export function chartRows(position, measure, series) {
  const open = openBySlot(position.forecast);
  const rows = [];
  let top = 0;
  for (const slot of position.slots) {
    const won = position.won.get(slot) ?? 0;
    const before = rows.length;
    rows.push({ slot, series: "won", rank: 0, colour: series.get("won").colour, value: major(won) });
    for (const [stage, cell] of open.get(slot) ?? []) {
      const { rank, colour } = series.get(stage) ?? series.get(null);
      rows.push({ slot, series: stage, rank, colour, value: major(cell[measure]) });
    }
    top = Math.max(top, rows.slice(before).reduce((sum, row) => sum + row.value, 0));
  }
  return { rows, slots: position.slots, top, current: position.month };
}

/** The colours in use: won first, then the stages surest first, then what belongs to no known stage. */
export function seriesOf(stages, wonColour, unknownColour) {
  return new Map([
    ["won", { name: say.chart.won, rank: 0, colour: wonColour }],
    ...stages,
    [null, { name: "–", rank: stages.size + 1, colour: unknownColour }],
  ]);
}
