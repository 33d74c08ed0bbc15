// What the bar under the pointer holds.

import { get, make, swatch } from "./dom.js";
import { deals, fill, money, monthName, say } from "./format.js";
import { openBySlot } from "./position.js";

export function showTip(slot, event, position, measure, series) {
  const tip = get("tip");
  const box = tip.parentElement.getBoundingClientRect();
  const open = openBySlot(position.forecast).get(slot) ?? new Map();
  const won = position.won.get(slot) ?? 0;
  if (!slot || (!won && !open.size)) {
    tip.hidden = true;
    return;
  }
  const lines = [...series].reverse().flatMap(([key, { name, colour }]) => {
    const minor = key === "won" ? won : open.get(key)?.[measure] ?? 0;
    return minor ? [make("dt", {}, swatch(colour), name), make("dd", {}, money(minor))] : [];
  });
  const count = [...open.values()].reduce((sum, each) => sum + each.deals, 0);
  tip.replaceChildren(
    make("h3", {}, /^\d/.test(slot) ? monthName(slot) : say.chart[slot]),
    make("dl", {}, ...lines, ...(count ? [make("dt", {}, say.chart.count), make("dd", {}, String(count))] : [])),
  );
  tip.hidden = false;
  const left = event.clientX - box.left;
  const flip = left > box.width / 2;
  tip.style.left = `${Math.max(0, flip ? left - tip.offsetWidth - 14 : Math.min(left + 14, box.width - tip.offsetWidth))}px`;
  tip.style.top = `${Math.max(0, event.clientY - box.top - tip.offsetHeight / 2)}px`;
}
