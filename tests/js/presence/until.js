import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";

/** Waits until it is so. Locks are granted, and messages arrive, a little later. @param {() => any} isSo */
export async function until(isSo) {
	const giveUpAt = performance.now() + 5000;
	while (!(await isSo()) && performance.now() < giveUpAt) await turn();
	assert.ok(await isSo());
}
