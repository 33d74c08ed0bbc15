// What stands where an answer should be: one sentence, and a way to ask again.

import { make } from "./dom.js";
import { say } from "./format.js";
import { Failure } from "./ledger.js";

/** A fault of the page's own is thrown on, to the console. */
export function trouble(error, again) {
  if (!(error instanceof Failure)) throw error;
  const button = make("button", { type: "button", className: "quiet" }, say.errors.retry);
  button.addEventListener("click", again);
  return [make("span", {}, error.message), " ", button];
}
