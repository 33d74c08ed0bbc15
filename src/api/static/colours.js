// The surest stage is the darkest; won deals have a colour of their own. Both follow the reader's colour scheme.

import { span } from "./format.js";

const style = () => getComputedStyle(document.documentElement);
export const colour = (name) => style().getPropertyValue(`--${name}`).trim();

function mix(from, to, share) {
  const channel = (hex, index) => parseInt(hex.slice(1 + 2 * index, 3 + 2 * index), 16);
  const mixed = [0, 1, 2].map((i) => Math.round(channel(from, i) + (channel(to, i) - channel(from, i)) * share));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** A colour of the ramp, from 0 for the surest to 1: through several hues, so that neighbours can be told apart. */
function ramp(share) {
  const stops = [1, 2, 3, 4, 5].map((number) => colour(`ramp-${number}`));
  const index = Math.min(3, Math.floor(share * 4));
  return mix(stops[index], stops[index + 1], share * 4 - index);
}

/** The stages the book has ever had, surest first, each with its colour. */
export function palette() {
  const last = Math.max(1, span.stages.length - 1);
  return new Map(span.stages.map(({ stage, name }, index) => [
    stage, { stage, name, rank: index + 1, colour: ramp(index / last) },
  ]));
}
