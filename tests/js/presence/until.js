import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";

/**
 * Wait for a condition: the browser grants locks and delivers messages asynchronously.
 * @param {() => any} isTrue
 */
export async function until(isTrue) {
	const deadline = performance.now() + 5000;
	while (!(await isTrue()) && performance.now() < deadline) await turn();
	assert.ok(await isTrue());
}
