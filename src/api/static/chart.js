// The picture: Vega draws it once, later answers only change its data.

import { vegaEmbed } from "./vega.js";
import { colour } from "./colours.js";
import { get } from "./dom.js";
import { monthShort, say, short } from "./format.js";

const ERRORS = 1;

/** What stands beside a bar; Januaries and the first bar carry their year. */
function slotLabel(slot, first, lying) {
  if (slot === "gap") return "";
  if (!/^\d/.test(slot)) return lying ? say.chart[slot] : say.chart[slot].split(" ");
  if (!slot.endsWith("-01") && slot !== first) return monthShort(slot);
  const parts = [monthShort(slot), slot.slice(0, 4)];
  return lying ? parts.join(" ") : parts;
}

function look() {
  const font = getComputedStyle(document.documentElement).fontFamily;
  return {
    background: "transparent",
    font,
    axis: { labelColor: colour("muted"), labelFontSize: 12.5, gridColor: colour("line"), labelLimit: 120 },
    axisBand: { grid: false },
    rect: { color: colour("wash") },
    bar: { stroke: colour("paper"), strokeWidth: 1 },
  };
}

/** Room at the top of the value axis: it stays while the bars fill enough of it, so that sliding does not make it jump. */
function topFor(highest, before) {
  if (highest <= before && highest > 0.45 * before) return before;
  if (highest <= 0) return before || 1;
  const step = 10 ** Math.floor(Math.log10(highest));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((times) => times * step).find((top) => top >= highest * 1.04) ?? 15 * step;
}

export class Chart {
  #view = null;
  #top = 0;
  #rows = [];
  #signals = {};
  #definitions;
  #events;
  #narrow = matchMedia("(max-width: 640px)");

  /** `onOver(slot, event)` and `onChoose(slot, series)` tell what the pointer does. */
  constructor(definitions, { onOver, onChoose }) {
    this.#definitions = definitions;
    this.#events = { onOver, onChoose };
    const again = () => this.#view && this.#embed();
    this.#narrow.addEventListener("change", again);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  }

  async #embed() {
    this.#view?.finalize();
    const definition = this.#definitions[this.#narrow.matches ? "lying" : "upright"];
    const { view } = await vegaEmbed(get("chart"), { ...definition, datasets: { forecast: this.#copies() } }, {
      ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: false, hover: false, logLevel: ERRORS,
      config: look(),
      expressionFunctions: { slotLabel, moneyLabel: (value) => short(value) },
    });
    this.#view = view;
    const slotOf = (item) => (item?.datum?.slot && item.datum.slot !== "gap" ? item.datum.slot : "");
    view.addEventListener("pointermove", (event, item) => this.#over(slotOf(item), event));
    view.addEventListener("pointerout", (event) => this.#over("", event));
    view.addEventListener("click", (event, item) => {
      if (slotOf(item)) this.#events.onChoose(slotOf(item), item.datum.series ?? null);
    });
    await this.#apply();
  }

  #over(slot, event) {
    this.#events.onOver(slot, event);
    if (this.#view.signal("over") !== slot) this.#view.signal("over", slot).runAsync();
  }

  /** Show other rows: `{slot, series, colour, rank, value}`. */
  async show({ rows, slots, current, top }) {
    this.#rows = rows;
    this.#top = topFor(top, this.#top);
    this.#signals = { ...this.#signals, slots, current, top: this.#top };
    if (this.#view) {
      this.#view.data("forecast", this.#copies());
      await this.#apply();
    } else {
      await this.#embed();
    }
  }

  forgetScale() {
    this.#top = 0;
  }

  async choose(slot) {
    this.#signals.chosen = slot;
    await this.#view.signal("chosen", slot).runAsync();
  }

  async #apply() {
    for (const [name, value] of Object.entries(this.#signals)) this.#view.signal(name, value);
    await this.#view.runAsync();
  }

  /** Vega marks the rows it is given, so it gets its own. */
  #copies() {
    return this.#rows.map((row) => ({ ...row }));
  }
}
