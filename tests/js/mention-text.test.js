/** Test what of a text is a mention that is being typed, and which users are offered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mentionAt, usersFor } from "../../static/js/clients/notes/mention-text.js";

const users = ["Ada Byron", "Daniel Okafor", "Dana Hart"].map((name) => ({ name, mention: name }));
const names = (/** @type {string} */ typed) => usersFor(users, typed).map(({ name }) => name);

test("a mention begins at the @ before the caret, not in an email address", () => {
	assert.deepEqual(mentionAt("Ask @Dan", 8), { start: 4, typed: "Dan" });
	assert.deepEqual(mentionAt("@", 1), { start: 0, typed: "" });
	assert.deepEqual(mentionAt("@Daniel Ok", 10), { start: 0, typed: "Daniel Ok" });
	for (const text of ["Ask Dan", "dan@firm", "@ Dan", "@Dan\n", `@${"x".repeat(80)}`])
		assert.equal(mentionAt(text, text.length), null, text);
});

test("users are offered by the beginning of a name, and no more after a whole one", () => {
	assert.deepEqual(names(""), ["Ada Byron", "Daniel Okafor", "Dana Hart"]);
	assert.deepEqual(names("dan"), ["Daniel Okafor", "Dana Hart"]);
	assert.deepEqual(names("hart"), ["Dana Hart"]);
	assert.deepEqual(names("Dana Hart will ring"), []);
	assert.deepEqual(names("zoe"), []);
});
