import assert from "node:assert/strict";
import { test } from "node:test";

import { Keys } from "../../../static/js/find/keys.js";

const read = (...presses) => {
	const keys = new Keys();
	return presses.map(([key, now]) => keys.read(key, now));
};

test("single keys find, edit and show the keys", () =>
	assert.deepEqual(read(["/", 0], ["e", 1], ["?", 2], ["x", 3]), ["find", "edit", "help", undefined]));

test("g then l leads to the list, within a second and a half and with no key between", () => {
	assert.deepEqual(read(["g", 0], ["l", 1500]), [undefined, "list"]);
	assert.deepEqual(read(["g", 0], ["l", 1501]), [undefined, undefined]);
	assert.deepEqual(read(["g", 0], ["x", 1], ["l", 2]), [undefined, undefined, undefined]);
	assert.deepEqual(read(["l", 0], ["g", 1], ["g", 2], ["l", 3]).at(-1), "list");
	assert.deepEqual(read(["g", 0], ["l", 1], ["l", 2]).at(-1), undefined);
});
