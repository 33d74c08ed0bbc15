// Drill-down: the deals behind a bar, from the report's own explanation.

import { get, make, swatch } from "./dom.js";
import { fill, localDay, money, monthName, number, say, shortDate } from "./format.js";
import { ask } from "./ledger.js";
import { pairOf, soldIn } from "./position.js";
import { trouble } from "./trouble.js";

const PAGE = 25;
const isMonth = (slot) => /^\d/.test(slot);
const slotName = (slot) => (isMonth(slot) ? monthName(slot) : say.chart[slot]);

const SHOWN = "stage,owner,customer";
const OPEN = ["omitted", "pipeline", "best_case", "most_likely", "commit"].map((each) => `category=${each}`).join(",");

/** Where the lines of a choice come from: wins from `sales`, what is open from `forecast`, which holds wins as well. */
function question(state, { slot, series }) {
  if (series === "won") {
    return ["reports/sales/explain", { ...soldIn(slot, slot), by: SHOWN, cell: `month=${slot}`, ...pairOf(state) }];
  }
  const cell = series === null ? `month=${slot}` : `month=${slot},stage=${series}`;
  const period = isMonth(slot) ? slot : undefined; // spares the ledger the deals of other months
  return ["reports/forecast/explain", { by: SHOWN, where: OPEN, cell, period, ...pairOf(state) }];
}

export class Deals {
  #asked = 0;
  #after = 0;
  #series;
  #onDeal;

  constructor(series, onDeal) {
    this.#series = series;
    this.#onDeal = onDeal;
    this.state = this.choice = null;
    get("deals-more").addEventListener("click", () => this.#more());
  }

  hide() {
    this.#asked += 1;
    this.choice = null;
    get("deals").hidden = true;
  }

  /** Keep the choice, but none of its deals: those of another date must not stand in for them. */
  blank() {
    this.#asked += 1;
    get("deals-count").textContent = "";
    get("deals-table").replaceChildren();
    get("deals-more").hidden = true;
  }

  /** `choice` is `{slot, series}`: series is `won`, a stage, or null for all that is open in the slot. */
  async show(state, choice, { focus = false } = {}) {
    const asked = (this.#asked += 1);
    this.state = state;
    this.choice = choice;
    get("deals-heading").textContent = this.#heading();
    get("deals-count").textContent = say.chart.loading;
    get("deals").setAttribute("aria-busy", "true");
    get("deals").hidden = false;
    try {
      const answer = await this.#ask(0);
      if (asked !== this.#asked) return;
      get("deals-table").replaceChildren(this.#head(), make("tbody"));
      this.#add(answer);
    } catch (error) {
      if (asked !== this.#asked) return;
      get("deals-table").replaceChildren();
      get("deals-more").hidden = true;
      get("deals-count").replaceChildren(...trouble(error, () => this.show(state, choice, { focus: true })));
    }
    get("deals").setAttribute("aria-busy", "false");
    if (focus) {
      get("deals").focus({ preventScroll: true });
      get("deals").scrollIntoView({ block: "nearest", behavior: "smooth" });
    }
  }

  get #won() {
    return this.choice.series === "won";
  }

  #ask(offset) {
    const [path, query] = question(this.state, this.choice);
    return ask(path, { ...query, limit: PAGE, offset });
  }

  async #more() {
    const asked = this.#asked;
    try {
      const answer = await this.#ask(this.#after);
      if (asked !== this.#asked) return;
      const first = this.#after;
      this.#add(answer);
      if (get("deals-more").hidden) get("deals-table").tBodies[0].rows[first]?.querySelector("button").focus();
    } catch (error) {
      if (asked === this.#asked) get("deals-count").replaceChildren(...trouble(error, () => this.#more()));
    }
  }

  #heading() {
    const month = slotName(this.choice.slot);
    if (this.#won) return fill(say.deals.heading_won, { month });
    if (this.choice.series === null) return fill(say.deals.heading_open, { month });
    return fill(say.deals.in_stage, { month, stage: this.#series().get(this.choice.series)?.name ?? this.choice.series });
  }

  #head() {
    const names = [
      [say.deals.deal], [say.deals.customer, "spare"], [say.deals.owner, "spare"], [say.deals.stage, "spare"],
      [this.#won ? say.deals.won_on : say.deals.expected, "spare"], [say.deals.amount, "number"],
      ...(this.#won ? [] : [[say.deals.weighted, "number spare"]]),
    ];
    return make("thead", {}, make("tr", {}, ...names.map(([name, className = ""]) => make("th", { scope: "col", className }, name))));
  }

  #add(answer) {
    const body = get("deals-table").tBodies[0];
    body.append(...answer.lines.map((line) => this.#row(line)));
    this.#after = body.rows.length;
    const more = this.#after < answer.total;
    const text = more ? say.deals.showing : { 0: say.deals.none, 1: say.deals.one }[answer.total] ?? say.deals.all;
    const count = fill(text, { shown: number(this.#after), total: number(answer.total) });
    get("deals-count").textContent = answer.total > 1 ? `${count} · ${this.#sum(answer.figures)}` : count;
    get("deals-more").hidden = !more;
  }

  /** What the bar shows: weighted where that is the measure, but what was won is won. */
  #sum({ amount_minor: amount, weighted_minor: weighted }) {
    if (this.#won || this.state.measure === "amount") return money(amount);
    return fill(say.deals.weighted_sum, { amount: money(weighted) });
  }

  #row(line) {
    const { owner, customer, stage } = line.dimensions;
    const open = make("button", { type: "button", className: "link name" }, line.title ?? line.stream);
    const series = this.#series().get(this.#won ? "won" : stage);
    const when = this.#won ? line.effective_at : line.expected_close_on;
    const cell = (...children) => make("td", { className: "spare" }, ...children);
    const { amount_minor: amount, weighted_minor: weighted } = line.figures;
    const isWeighted = !this.#won && Number.isFinite(weighted);
    const row = make("tr", {},
      make("td", {}, open, make("span", { className: "id" }, line.title ? line.stream : "")),
      cell(line.names.customer ?? customer ?? "–"),
      cell(line.names.owner ?? owner ?? "–"),
      cell(series ? swatch(series.colour) : "", line.names.stage ?? stage ?? "–"),
      cell(when ? shortDate(when.length === 10 ? when : localDay(when)) : "–"),
      make("td", { className: "number" }, money(amount),
        isWeighted ? make("span", { className: "under" }, fill(say.deals.weighted_sum, { amount: money(weighted) })) : null),
      this.#won ? null : make("td", { className: "number spare" }, isWeighted ? money(weighted) : "–"));
    row.addEventListener("click", () => this.#onDeal(line));
    return row;
  }
}
