// The slider over the book's whole history, with its ticks and the finer ways to a date.

import { nearest, steps, ticks, daysBetween } from "./dates.js";
import { get, make } from "./dom.js";
import { longDate, monthShort, span } from "./format.js";

const PAGE = { week: 4, month: 3 };

export class Timeline {
  #onMove;
  #steps = [];
  #unit = "week";

  constructor(onMove) {
    this.#onMove = onMove;
    const slider = get("slider");
    slider.addEventListener("input", () => this.#moveTo(Number(slider.value)));
    slider.addEventListener("keydown", (event) => this.#keys(event));
    get("earlier").addEventListener("click", () => this.#moveTo(Number(slider.value) - 1));
    get("later").addEventListener("click", () => this.#moveTo(Number(slider.value) + 1));
    get("now").addEventListener("click", () => this.#moveTo(this.#steps.length - 1));
    get("step").addEventListener("change", (event) => this.#use(event.target.value));
    const pick = get("pick");
    Object.assign(pick, { min: span.first, max: span.today });
    pick.addEventListener("change", () => pick.value && pick.validity.valid && this.#onMove(pick.value));
    addEventListener("resize", () => this.#drawTicks());
    this.#use("week");
  }

  /** Put everything where the date is, without telling anyone. */
  place(date) {
    this.date = date;
    const slider = get("slider");
    const index = nearest(this.#steps, date);
    slider.value = index;
    slider.setAttribute("aria-valuetext", longDate(date));
    get("pick").value = date;
    get("earlier").disabled = index === 0;
    get("later").disabled = get("now").disabled = date === span.today;
  }

  #use(unit) {
    this.#unit = unit;
    this.#steps = steps(span.first, span.today, unit);
    get("slider").max = this.#steps.length - 1;
    if (this.date) this.place(this.date);
    this.#drawTicks();
  }

  #moveTo(index) {
    this.#onMove(this.#steps[Math.max(0, Math.min(this.#steps.length - 1, index))]);
  }

  #keys(event) {
    const direction = { PageUp: 1, PageDown: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    this.#moveTo(Number(get("slider").value) + direction * PAGE[this.#unit]);
  }

  #drawTicks() {
    const whole = Math.max(1, daysBetween(this.#steps[0], span.today));
    const width = get("ticks").clientWidth;
    let free = -Infinity;
    const marks = ticks(this.#steps[0], span.today).flatMap(({ date, month, label, year }) => {
      const left = daysBetween(this.#steps[0], date) / whole;
      const mark = make("i", { className: label ? "major" : "" });
      mark.style.left = `${left * 100}%`;
      if (!label || left * width < free + 46 || left * width > width - 16) return [mark];
      free = left * width;
      const text = make("b", {}, year ? month.slice(0, 4) : monthShort(month));
      text.style.left = `${left * 100}%`;
      return [mark, text];
    });
    get("ticks").replaceChildren(...marks);
  }
}
