// Numbers, money and dates as the page's language writes them. Money arrives in minor units, dates as YYYY-MM-DD.

export const page = JSON.parse(document.getElementById("page").textContent);
export const { say, locale, history: span } = page;
const { time_zone: timeZone, currency: bookCurrency } = page.book;

const made = new Map();
function formatter(kind, options) {
  const key = kind + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl[kind](locale, options));
  return made.get(key);
}

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
export const number = (value) => formatter("NumberFormat", {}).format(value);
export const percent = (value, digits = 0) =>
  formatter("NumberFormat", { style: "percent", maximumFractionDigits: digits }).format(value);
/** As the language counts: in French nothing and one and a half are singular too. */
export const counted = (count, { one, many }) =>
  fill(formatter("PluralRules", {}).select(count) === "one" ? one : many, { count: number(count) });
export const deals = (count) => counted(count, { one: say.figures.deals_one, many: say.figures.deals });

export const decimals = (currency = bookCurrency) => page.decimals[currency] ?? 2;
export const major = (minor, currency = bookCurrency) => minor / 10 ** decimals(currency);

function amount(currency, options = {}) {
  const digits = decimals(currency);
  return formatter("NumberFormat", {
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits, ...options,
  });
}

/** An amount that nobody gave is null, and shown as unknown. */
const UNKNOWN = "–";
export const money = (minor, currency = bookCurrency) =>
  minor === null ? UNKNOWN : amount(currency).format(major(minor, currency));
export const short = (value, currency = bookCurrency) =>
  amount(currency, { notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 }).format(value);

/** Money for a headline: [text, is it the fraction?] pairs, so that cents can stand back. */
export function moneyParts(minor, currency = bookCurrency) {
  if (minor === null) return [[UNKNOWN, false]];
  return amount(currency).formatToParts(major(minor, currency))
    .map(({ type, value }) => [value, type === "decimal" || type === "fraction"]);
}

const noon = (date) => new Date(`${date}T12:00:00Z`);
const utc = (date, options) => formatter("DateTimeFormat", { timeZone: "UTC", ...options }).format(noon(date));
/** French writes the first of a month as an ordinal, which no formatter knows. */
export const longDate = (date) => {
  const text = utc(date, { dateStyle: "long" });
  return page.language === "fr" ? text.replace(/^1(?=\s)/, "1er") : text;
};
export const shortDate = (date) => utc(date, { day: "numeric", month: "short", year: "numeric" });
export const monthName = (month) => utc(`${month}-01`, { month: "long", year: "numeric" });
export const monthOnly = (month) => utc(`${month}-01`, { month: "long" });
export const monthShort = (month) => utc(`${month}-01`, { month: "short" }).replace(/\.$/, "");

/** An instant in the book's time zone, without the seconds nobody reads. */
export const instant = (text) =>
  formatter("DateTimeFormat", { timeZone, dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
export const localDay = (text) => new Intl.DateTimeFormat("sv-SE", { timeZone }).format(new Date(text));
