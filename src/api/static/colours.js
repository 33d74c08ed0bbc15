// The surest of a few stages is the darkest; won deals have a colour of their own. Both follow the reader's colour scheme.

import { span } from "./format.js";

const style = () => getComputedStyle(document.documentElement);
export const colour = (name) => style().getPropertyValue(`--${name}`).trim();

function mix(from, to, share) {
  const channel = (hex, index) => parseInt(hex.slice(1 + 2 * index, 3 + 2 * index), 16);
  const mixed = [0, 1, 2].map((i) => Math.round(channel(from, i) + (channel(to, i) - channel(from, i)) * share));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

const FEW = 5;
const STOPS = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => `ramp-${number}`);

/** The colour of one of so many stages, 0 being the surest: a few spread over the blues, each beyond these adds a hue. */
function ramp(index, count) {
  const last = Math.min(Math.max(count, FEW), STOPS.length) - 1;
  const at = (index * last) / Math.max(1, count - 1);
  const from = Math.min(Math.floor(at), last - 1);
  return mix(colour(STOPS[from]), colour(STOPS[from + 1]), at - from);
}

/** The stages the book has ever had, surest first, each with its colour. */
export function palette() {
  return new Map(span.stages.map(({ stage, name }, index) => [
    stage, { stage, name, rank: index + 1, colour: ramp(index, span.stages.length) },
  ]));
}
