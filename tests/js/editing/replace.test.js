import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { difference, movedBy } from "../../../static/js/editing/remote/replace.js";

describe("the difference between two texts", () => {
	for (const [one, other, expected] of [
		["abc", "abXc", { start: 2, end: 1 }],
		["abc", "abc", { start: 3, end: 0 }],
		["aa", "aaa", { start: 2, end: 0 }],
		["", "x", { start: 0, end: 0 }],
		["xyz", "", { start: 0, end: 0 }],
	])
		test(`${one} and ${other}`, () => assert.deepEqual(difference(one, other), expected));
});

test("a caret stays at its word after a replacement", () => {
	assert.equal(movedBy(3, 5, 7, 10), 3, "before the change");
	assert.equal(movedBy(9, 5, 7, 10), 17, "after it");
	assert.equal(movedBy(6, 5, 7, 10), 15, "within it, at its end");
});
