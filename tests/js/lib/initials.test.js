import assert from "node:assert/strict";
import { test } from "node:test";
import { hueClass, initials } from "../../../static/js/lib/initials.js";

test("two names give two letters", () => {
	assert.equal(initials("Ann", "Lee"), "AL");
	assert.equal(initials("ørjan", "økland"), "ØØ");
});

test("a missing name gives one letter, two missing names a question mark", () => {
	assert.equal(initials("Ann", ""), "A");
	assert.equal(initials(" ", ""), "?");
});

test("a letter outside the basic plane is not cut", () => {
	assert.equal(initials("𝒜nn", "Lee"), "𝒜L");
});

test("a profile has one of twelve hues", () => {
	assert.equal(hueClass(7), "hue-7");
	assert.equal(hueClass(12), "hue-0");
});
