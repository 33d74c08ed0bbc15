// The page: one state (date, mode, measure, chosen bar), from which everything shown follows.

import { Chart } from "./chart.js";
import { colour, palette } from "./colours.js";
import { isDate, isWritten, monthOf, monthsFrom } from "./dates.js";
import { Deals } from "./deals.js";
import { get, make, swatch } from "./dom.js";
import { blankFigures, showFigures } from "./figures.js";
import { deals as dealsText, fill, longDate, money, number, page, say, span } from "./format.js";
import { address, ask, latestOnly } from "./ledger.js";
import { chartRows, pairOf, positionAt, seriesOf, sumOver, whyEmpty, wonByMonth } from "./position.js";
import { showStory } from "./story.js";
import { showTable } from "./table.js";
import { Timeline } from "./timeline.js";
import { showTip } from "./tip.js";
import { trouble } from "./trouble.js";

const SLOW_MS = 500;
const READ = document.querySelectorAll(".figures, .picture, #deals, footer");

const state = fromAddress();
let position = null;
let present = null;
const series = () => seriesOf(palette(), colour("won"), colour("muted"));

const chart = new Chart(page.charts, {
  onOver: (slot, event) => position && showTip(slot, event, position, state.measure, series()),
  onChoose: (slot, key) => choose({ slot, series: key ?? likely(slot) }),
});
const deals = new Deals(series, (line) => showStory(line, state));
const timeline = new Timeline((date) => move({ asOf: date }));
const refresh = latestOnly(() => guarded(load));

function fromAddress() {
  const given = new URLSearchParams(location.search);
  const asked = given.get("as_of");
  const wanted = !asked || asked === "now" ? span.today : asked;
  const refused = whyNot(wanted);
  const asOf = refused ? span.today : wanted;
  const known = given.get("known_at") ?? "";
  const restated = known === "now" || known === span.today;
  tellRefused(refused, known && known !== wanted && !restated ? fill(say.refused.known, { asked: known }) : "");
  return {
    asOf, restated,
    measure: given.get("measure") === "weighted" ? "weighted" : "amount",
  };
}

function tellRefused(...sentences) {
  get("refused").textContent = sentences.filter(Boolean).join(" ");
  get("refused").hidden = !get("refused").textContent;
}

/** Why a date of the address is not shown; nothing where it can be. */
function whyNot(date) {
  if (!isWritten(date)) return fill(say.refused.no_date, { asked: date });
  if (!isDate(date)) return fill(say.refused.no_day, { asked: date });
  if (date > span.today) return fill(say.refused.ahead, { date: longDate(date) });
  if (date < span.first) return fill(say.refused.before, { date: longDate(date), first: longDate(span.first) });
  return "";
}

function move(change) {
  Object.assign(state, change);
  performance.mark("moved");
  get("refused").hidden = true;
  showMoment();
  reading(true);
  refresh();
}

/** The parts that need no answer follow the hand at once. */
function showMoment() {
  const today = state.asOf === span.today;
  timeline.place(state.asOf);
  get("when").textContent = longDate(state.asOf);
  get("knowing").textContent = today ? say.moment.today : say.moment[state.restated ? "restated" : "reported"];
  document.querySelector(`#mode [value=${state.restated ? "restated" : "reported"}]`).checked = true;
  document.querySelector(`#measure [value=${state.measure}]`).checked = true;
  const kept = new URLSearchParams({ lang: page.language });
  if (!today) kept.set("as_of", state.asOf);
  if (state.restated) kept.set("known_at", "now");
  if (state.measure === "weighted") kept.set("measure", "weighted");
  history.replaceState(null, "", `/?${kept}`);
  for (const link of document.querySelectorAll(".languages a")) {
    kept.set("lang", link.hreflang);
    link.href = `/?${kept}`;
  }
  showSources();
}

/** Until the date's own answer is there, what the page still shows of another is paled. */
function reading(busy) {
  for (const part of READ) part.setAttribute("aria-busy", busy);
}

const isCurrent = ({ asOf, restated }) => asOf === state.asOf && restated === state.restated;

async function load() {
  const asked = { ...state };
  reading(true);
  const slow = setTimeout(() => notice(make("span", {}, say.chart.loading)), SLOW_MS);
  try {
    position = await positionAt(asked, page.book.fiscal_year_start_month);
  } catch (error) {
    if (isCurrent(asked)) blank();
    throw error;
  } finally {
    clearTimeout(slow);
  }
  await showPosition();
  if (isCurrent(asked)) reading(false);
  measured();
  if (deals.choice) await choose(deals.choice, { focus: false });
  if (!present) await loadPresent();
  if (position) showFigures(position, compared(position));
}

/** What the same figures are now: open and weighted today, and what the same months have sold in the end. */
async function loadPresent() {
  const now = { as_of: "now" };
  const [forecast, sales] = await Promise.all([
    ask("reports/forecast", now),
    ask("reports/sales", { by: "month", period: `${span.first}..${span.today}`, ...now }),
  ]);
  present = { open: forecast.totals.amount_minor, weighted: forecast.totals.weighted_minor, won: wonByMonth(sales) };
}

function compared({ asOf, month, quarter }) {
  if (!present || asOf === span.today) return null;
  return {
    open: present.open, weighted: present.weighted,
    wonMonth: sumOver(present.won, [month]),
    wonQuarter: sumOver(present.won, monthsFrom(quarter, 3)),
  };
}

async function showPosition() {
  if (!position) return;
  const shown = series();
  const picture = chartRows(position, state.measure, shown);
  get("chart").classList.remove("blank");
  await chart.show(picture);
  notice(...(picture.top > 0 ? [] : [make("span", {}, whyEmpty(position))]));
  showFigures(position, compared(position));
  showLegend(shown, picture.rows);
  showTable(position, state.measure, shown, (choice) => choose(choice));
  showProvenance();
  get("summary").textContent = fill(say.chart.summary, {
    date: longDate(position.asOf), open: money(position.open), deals: dealsText(position.deals),
    weighted: money(position.weighted), won: money(position.wonMonth),
  });
}

/** Of a date that could not be read nothing is shown, least of all the figures of another. */
function blank() {
  position = null;
  blankFigures(monthOf(state.asOf));
  get("chart").classList.add("blank");
  get("tip").hidden = true;
  for (const part of ["legend", "table", "provenance", "summary"]) get(part).replaceChildren();
  deals.blank();
  reading(false);
}

function showLegend(shown, rows) {
  const used = new Set(rows.filter((row) => row.value > 0).map((row) => row.series));
  get("legend").replaceChildren(...[...shown].filter(([key]) => used.has(key))
    .map(([, { name, colour: fillColour }]) => make("li", {}, swatch(fillColour), name)));
}

function showProvenance() {
  const { forecast } = position;
  get("provenance").textContent = [fill(say.foot.position, { position: number(forecast.position) }), ...forecast.notes].join("\n");
}

/** Where the same answer is to be had. */
function showSources() {
  const query = { by: "stage", ...pairOf(state) };
  get("json").href = address("reports/forecast", query);
  const options = Object.entries(query).filter(([, value]) => value).map(([name, value]) => `--${name.replace("_", "-")} ${value}`);
  get("command").textContent = `sales-ledger report forecast ${options.join(" ")}`;
}

/** A click beside the coloured part of a bar means all that is open there, or what was won in a month gone by. */
const likely = (slot) => (position.forecast.rows.some((row) => row.month === slot) ? null : "won");

async function choose(choice, options = { focus: true }) {
  await Promise.all([chart.choose(choice.slot), deals.show({ ...state }, choice, options)]);
}

function unchoose() {
  deals.hide();
  chart.choose("");
  get("chart").focus({ preventScroll: true });
}

function notice(...parts) {
  get("notice").hidden = !parts.length;
  get("notice").replaceChildren(...parts);
}

/** A position that could not be read is told of where the picture would be; anything else is a fault and goes to the console. */
async function guarded(work) {
  try {
    await work();
  } catch (error) {
    notice(...trouble(error, () => refresh()));
  }
}

/** From the hand's move to the picture on screen; read by tests and by the curious. */
function measured() {
  if (!performance.getEntriesByName("moved").length) return;
  requestAnimationFrame(() => setTimeout(() => {
    performance.measure("redrawn", "moved");
  }));
}

get("mode").addEventListener("change", (event) => move({ restated: event.target.value === "restated" }));
get("measure").addEventListener("change", (event) => {
  state.measure = event.target.value;
  showMoment();
  chart.forgetScale();
  showPosition();
  if (position && deals.choice) choose(deals.choice, { focus: false });
});
get("deals-close").addEventListener("click", unchoose);
get("history").addEventListener("click", (event) => event.target === get("history") && get("history").close());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => showPosition());

showMoment();
await refresh();
