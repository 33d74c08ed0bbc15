// Questions to the ledger's own API.

import { page, say } from "./format.js";

export class Failure extends Error {}

export const address = (path, query) => {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== ""));
  return `/v1/${path}?${search}`;
};

export async function ask(path, query = {}, signal = undefined) {
  let answer;
  try {
    const headers = { Accept: "application/json", "Accept-Language": page.language };
    answer = await fetch(address(path, query), { signal, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(say.errors.offline);
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Failure(say.errors.failed.replace("{detail}", body.detail ?? answer.status));
  return body;
}

/** Runs one question at a time; of those asked meanwhile only the latest is asked next, so a drag never queues up. */
export function latestOnly(run) {
  let running = false;
  let next = null;
  return async function request(argument) {
    if (running) {
      next = { argument };
      return;
    }
    running = true;
    try {
      await run(argument);
    } finally {
      running = false;
      const waiting = next;
      next = null;
      if (waiting) request(waiting.argument);
    }
  };
}
