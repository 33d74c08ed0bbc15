// The chart's figures as a table, whose cells lead to the same deals as its bars.

import { get, make } from "./dom.js";
import { money, monthName, number, say } from "./format.js";
import { openBySlot } from "./position.js";

const cell = (content) => make("td", { className: "number" }, content);

function leadTo(choice, text, name, onChoose) {
  const button = make("button", { type: "button", className: "link" }, text);
  button.setAttribute("aria-label", name);
  button.addEventListener("click", () => onChoose(choice));
  return button;
}

export function showTable(position, measure, series, onChoose) {
  const open = openBySlot(position.forecast);
  const stages = [...series].filter(([key]) => key !== "won" && [...open.values()].some((slot) => slot.get(key)?.deals > 0));
  const number_ = (name) => make("th", { scope: "col", className: "number" }, name);
  const head = make("tr", {}, make("th", { scope: "col" }, say.chart.month), number_(say.chart.won),
    number_(say.chart.open), number_(say.chart.count), ...stages.map(([, { name }]) => number_(name)));
  const rows = position.slots.filter((slot) => slot !== "gap").flatMap((slot) => {
    const won = position.won.get(slot) ?? 0;
    const cells = open.get(slot) ?? new Map();
    if (!won && !cells.size) return [];
    const name = /^\d/.test(slot) ? monthName(slot) : say.chart[slot];
    const sum = (field) => [...cells.values()].reduce((total, each) => total + each[field], 0);
    const linked = (key, minor, label) =>
      minor ? leadTo({ slot, series: key }, money(minor), `${name}, ${label}: ${money(minor)}`, onChoose) : "–";
    const counted = (count) =>
      count ? leadTo({ slot, series: null }, number(count), `${name}, ${say.chart.count}: ${number(count)}`, onChoose) : number(0);
    return [make("tr", {}, make("th", { scope: "row" }, name), cell(linked("won", won, say.chart.won)),
      cell(linked(null, sum(measure), say.chart.all_stages)), cell(counted(sum("deals"))),
      ...stages.map(([key, { name: stage }]) => cell(linked(key, cells.get(key)?.[measure] ?? 0, stage))))];
  });
  get("table").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
}
