import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isTyping, nextPauseAt, TYPING_MS, unsavedAfter } from "../../../static/js/editing/unsaved/state.js";
import { whoIsIn } from "../../../static/js/editing/remote/wording.js";
import { amelia, daniel, priya } from "../cast.js";

const NOW = 1_000_000;
const context = { form: "record", myId: amelia.id, now: NOW };

const draftOf = (user, values, form = "record") => ({
	form,
	user: user.id,
	values,
	version: 1,
	seen: "",
	updated_at: new Date(0).toISOString(),
});
const after = (before, drafts, now = NOW, read_at = NOW / 1000) =>
	unsavedAfter(before, { drafts, read_at }, { ...context, now });

describe("unsaved values", () => {
	test("are those of other users in the same form", () => {
		const drafts = [
			draftOf(amelia, { phone: "1" }),
			draftOf(daniel, { phone: "2", town: "" }),
			draftOf(priya, { phone: "3" }, "person/12"),
		];

		assert.deepEqual(
			after(null, drafts).map(({ user, name, value }) => [user, name, value]),
			[
				[daniel.id, "phone", "2"],
				[daniel.id, "town", ""],
			],
		);
	});

	test("are being typed for a while after each change of their own field", () => {
		const first = after(null, [draftOf(daniel, { phone: "2", town: "B" })]);
		const second = after(first, [draftOf(daniel, { phone: "2", town: "Ba" })], NOW + 1000);

		assert.deepEqual(
			second.map((each) => isTyping(each, NOW + 1000)),
			[false, true],
		);
		assert.equal(nextPauseAt(second, NOW + 1000), NOW + 1000 + TYPING_MS);
		assert.equal(isTyping(second[1], NOW + 1000 + TYPING_MS), false);
		assert.equal(nextPauseAt(second, NOW + 1000 + TYPING_MS), Number.POSITIVE_INFINITY);
	});

	test("that are known with the first event are being typed if they were stored just before", () => {
		const recent = draftOf(daniel, { phone: "2" });
		assert.equal(isTyping(after(null, [recent], NOW, 1)[0], NOW), true);
		assert.equal(isTyping(after(null, [recent], NOW, 60)[0], NOW), false);
	});
});

describe("the note beside a label", () => {
	const inPhone = (user) => ({ ...user, activity: "editing", focus: "Phone", fields: ["Phone"] });
	const note = (users, sharing) => whoIsIn(users, "Phone", sharing && new Map(sharing));

	test("says who is typing, and afterwards that the value is not saved", () => {
		assert.equal(note([inPhone(daniel)], [[daniel.id, true]]), "Daniel is typing");
		assert.equal(note([inPhone(daniel)], [[daniel.id, false]]), "Daniel changed this, not saved yet");
		const both = [inPhone(daniel), inPhone(priya)];
		assert.equal(
			note(both, [
				[daniel.id, true],
				[priya.id, true],
			]),
			"Daniel and 1 other are typing",
		);
		assert.equal(note(both, [[priya.id, true]]), "Priya is typing");
	});

	test("of a user who shares no value says only that the field is being changed", () => {
		assert.equal(note([inPhone(daniel)]), "Daniel is changing this");
	});
});
