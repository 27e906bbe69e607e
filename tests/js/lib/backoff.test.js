import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { debounceMs, nextDelayMs, retryAfterMs } from "../../../static/js/lib/backoff.js";

const next = (about) => nextDelayMs({ intervalMs: 30_000, failures: 0, random: 0, ...about });

describe("the delay before the next heartbeat", () => {
	test("is the interval after a response, whatever the random number", () => {
		assert.equal(next({ random: 0.9 }), 30_000);
	});

	test("doubles after failures up to the interval", () => {
		const spans = [1, 2, 3, 4, 5, 6, 50].map((failures) => next({ failures }) * 2);
		assert.deepEqual(spans, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
	});

	test("is spread by chance over the second half of its span", () => {
		assert.equal(next({ failures: 3, random: 0 }), 2000);
		assert.equal(next({ failures: 3, random: 0.5 }), 3000);
		assert.ok(next({ failures: 3, random: 0.999 }) < 4000);
	});

	test("is at least what the server asks for, and spread too", () => {
		assert.equal(next({ failures: 1, waitMs: 10_000 }), 10_000);
		assert.equal(next({ failures: 1, waitMs: 10_000, random: 0.4 }), 11_000);
	});

	test("is not shortened by what the server asks for", () => {
		assert.equal(next({ failures: 6, waitMs: 1000 }), 15_000);
	});

	test("is at most two minutes if the server asks for more", () => {
		assert.equal(next({ failures: 1, waitMs: 86_400_000 }), 120_000);
	});
});

describe("the delay of a burst", () => {
	test("is 250 ms from the last call", () => assert.equal(debounceMs(0), 250));
	test("ends one second after the first call", () => {
		assert.equal(debounceMs(950), 50);
		assert.equal(debounceMs(5000), 0);
	});
});

describe("Retry-After", () => {
	const now = Date.parse("2026-11-22T10:42:00Z");
	test("is read in seconds", () => assert.equal(retryAfterMs("5", now), 5000));
	test("is read as a date", () => assert.equal(retryAfterMs("Sun, 22 Nov 2026 10:42:07 GMT", now), 7000));
	test("is no delay if it is past, absent or invalid", () => {
		for (const header of ["Sun, 22 Nov 2026 10:41:00 GMT", null, "", "soon"])
			assert.equal(retryAfterMs(header, now), 0);
	});
});
