import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { activityOf, consequenceOfWaiting, ordinal } from "../../../static/js/presence/ui/queue-wording.js";
import { daniel, priya, viewer } from "../cast.js";

const editor = (about = {}) => viewer("daniel", { activity: "editing", ...about });
const waiting = (name, minute) => viewer(name, { waiting_since: `2026-11-22T10:${minute}:00.000001+00:00` });

test("ordinals have their English ending", () => {
	const written = [1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111].map(ordinal);
	assert.deepEqual(written, [
		"1st",
		"2nd",
		"3rd",
		"4th",
		"11th",
		"12th",
		"13th",
		"21st",
		"22nd",
		"103rd",
		"111th",
	]);
});

describe("what a user does", () => {
	test("is viewing or editing", () => {
		assert.equal(activityOf(daniel, []), "Viewing");
		assert.equal(activityOf(editor({ fields: ["Phone"] }), []), "Editing Phone");
		assert.equal(activityOf(editor({ focus: "Phone", fields: ["Email"] }), []), "Editing Phone and Email");
		assert.equal(activityOf(viewer("daniel", { visible: false }), []), "Away");
	});

	test("is waiting, with the place in the queue", () => {
		const first = waiting("priya", 10);
		const second = waiting("rhys", 11);
		assert.equal(activityOf(first, [second, editor(), first]), "Waiting, 1st");
		assert.equal(activityOf(second, [second, editor(), first]), "Waiting, 2nd");
		assert.equal(activityOf({ ...first, visible: false }, [first]), "Waiting, 1st, away");
	});

	test("is finishing soon after that answer", () =>
		assert.equal(activityOf(editor({ fields: ["Phone"], answer: "soon" }), []), "Finishing soon"));
});

describe("the consequence of waiting", () => {
	test("names the user who edits, and the place in the queue", () => {
		assert.equal(consequenceOfWaiting([editor()]), "Opens by itself when Daniel is done. You are next.");
		assert.equal(
			consequenceOfWaiting([waiting("priya", 10), editor()]),
			"Opens by itself when Daniel is done. You are 2nd.",
		);
	});

	test("names two users and counts more, an editor first", () => {
		assert.equal(
			consequenceOfWaiting([priya, editor()]),
			"Opens by itself when Daniel and Priya are done. You are next.",
		);
		assert.equal(
			consequenceOfWaiting([priya, viewer("rhys"), editor()]),
			"Opens by itself when Daniel and 2 others are done. You are next.",
		);
	});

	test("names the users who wait if no other user is in front", () =>
		assert.equal(
			consequenceOfWaiting([waiting("priya", 10)]),
			"Opens by itself when Priya is done. You are 2nd.",
		));

	test("is that the editor opens at once if all users on the page have answered that they are done", () =>
		assert.equal(
			consequenceOfWaiting([viewer("daniel", { answer: "done" })]),
			"Opens at once: nobody is in front of you.",
		));
});
