// Steps of the slider and months of the chart: arithmetic on YYYY-MM-DD, in no time zone.

const DAY_MS = 86_400_000;
const parse = (date) => Date.parse(`${date}T00:00:00Z`);
const write = (ms) => new Date(ms).toISOString().slice(0, 10);

/** Is it written YYYY-MM-DD, be there such a day or not? */
export const isWritten = (text) => /^\d{4}-\d\d-\d\d$/.test(text);

/** Is it a day of the calendar, written YYYY-MM-DD? */
export const isDate = (text) => isWritten(text) && !Number.isNaN(parse(text)) && write(parse(text)) === text;

export const monthOf = (date) => date.slice(0, 7);
export const addDays = (date, days) => write(parse(date) + days * DAY_MS);
export const daysBetween = (from, to) => Math.round((parse(to) - parse(from)) / DAY_MS);

export function addMonths(month, count) {
  const [year, number] = month.split("-").map(Number);
  return write(Date.UTC(year, number - 1 + count, 1)).slice(0, 7);
}

export const monthEnd = (month) => addDays(`${addMonths(month, 1)}-01`, -1);
export const monthsFrom = (month, count) => Array.from({ length: count }, (_, index) => addMonths(month, index));

/** First month of the fiscal quarter that a month belongs to. */
export function quarterStart(month, fiscalStart) {
  const into = (Number(month.slice(5)) - fiscalStart + 12) % 3;
  return addMonths(month, -into);
}

/** Every Sunday, or every month's last day, from the first date to the last; the last one always ends the list. */
export function steps(first, last, unit) {
  const found = [];
  if (unit === "month") {
    for (let month = monthOf(first); monthEnd(month) < last; month = addMonths(month, 1)) found.push(monthEnd(month));
  } else {
    const weekday = new Date(parse(first)).getUTCDay();
    for (let date = addDays(first, (7 - weekday) % 7); date < last; date = addDays(date, 7)) found.push(date);
  }
  return [...found, last];
}

/** The step nearest to a date. */
export function nearest(list, date) {
  let best = 0;
  list.forEach((each, index) => {
    if (Math.abs(daysBetween(each, date)) < Math.abs(daysBetween(list[best], date))) best = index;
  });
  return best;
}

/** Ticks for the slider: the firsts of years, quarters or months, whichever gives at most a dozen labels. */
export function ticks(first, last) {
  const months = daysBetween(first, last) / 30.4;
  const every = [1, 3, 6, 12, 24, 60].find((count) => months / count <= 9) ?? 120;
  const found = [];
  for (let month = addMonths(monthOf(first), 1); `${month}-01` <= last; month = addMonths(month, 1)) {
    const [year, number] = month.split("-").map(Number);
    const label = every < 12 ? (number - 1) % every === 0 : number === 1 && year % (every / 12) === 0;
    if (label || months <= 60) found.push({ date: `${month}-01`, month, label, year: number === 1 });
  }
  return found;
}
