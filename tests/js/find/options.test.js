import assert from "node:assert/strict";
import { test } from "node:test";

import { activeAfter, failureOf, summaryOf } from "../../../static/js/find/options.js";

test("arrows move through the options and around their ends, Home and End to the first and last", () => {
	const after = (key, active) => activeAfter(key, active, 3);
	assert.deepEqual([after("ArrowDown", -1), after("ArrowDown", 0), after("ArrowDown", 2)], [0, 1, 0]);
	assert.deepEqual([after("ArrowUp", -1), after("ArrowUp", 0), after("ArrowUp", 2)], [2, 2, 1]);
	assert.deepEqual([after("Home", 2), after("End", 0), after("a", 0)], [0, 2, undefined]);
	assert.equal(activeAfter("ArrowDown", -1, 0), undefined);
});

test("the sentence names the number of clients, and what was searched for when there are none", () => {
	assert.equal(summaryOf("", 3, 3), "Your recent clients");
	assert.equal(summaryOf("", 0, 0), "Clients that you open appear here.");
	assert.equal(summaryOf("zzz", 0, 0), "No client matches “zzz”.");
	assert.equal(summaryOf("a", 1, 1), "1 client");
	assert.equal(summaryOf("a", 4, 4), "4 clients");
	assert.equal(summaryOf("a", 10, 1278), "The best 10 of 1,278 clients");
});

test("a failure says whether the user is signed out or the server is away", () => {
	assert.match(failureOf(401), /signed out/);
	assert.match(failureOf(0), /cannot be reached/);
	assert.match(failureOf(503), /cannot be reached/);
});
