import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
	activityOf,
	askedSecondsAgo,
	askedText,
	consequenceOfWaiting,
	inFrontText,
	inOrderOfTurn,
	ordinal,
	waitingText,
} from "../../../static/js/presence/ui/queue-wording.js";
import { fullName } from "../../../static/js/presence/ui/wording.js";
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
			"Opens at once: no user is in front of you.",
		));
});

describe("the waiting banner", () => {
	const end = "The editor opens by itself when the record is free.";
	const sentence = (...front) => waitingText(front).join("");

	test("names one or two users in front, counts more, and says the place in the queue", () => {
		assert.equal(sentence(editor()), `Waiting for Daniel Okafor. You are next. ${end}`);
		assert.equal(
			sentence(waiting("priya", 10), editor()),
			`Waiting for Daniel Okafor and Priya Raman. You are 2nd. ${end}`,
		);
		assert.equal(
			sentence(waiting("priya", 10), waiting("rhys", 11), editor()),
			`Waiting for Daniel Okafor and 2 others. You are 3rd. ${end}`,
		);
	});

	test("has a name as every second part of its sentence", () => {
		for (const front of [[daniel], [daniel, priya], [daniel, priya, viewer("rhys")]]) {
			const names = waitingText(front).filter((_, i) => i % 2);
			assert.deepEqual(names, front.slice(0, names.length).map(fullName));
		}
	});

	test("names no user while none is known", () => assert.equal(sentence(), `Waiting for the others. ${end}`));

	test("lists users who edit, then users who view, then the queue", () => {
		const queue = [waiting("rhys", 11), waiting("amelia", 10)];
		assert.deepEqual(
			inOrderOfTurn([queue[0], priya, queue[1], editor()]).map(({ first_name }) => first_name),
			["Daniel", "Priya", "Amelia", "Rhys"],
		);
	});

	test("says what each user in front does", () => {
		assert.equal(inFrontText(editor({ fields: ["Phone"] }), []), "Daniel: editing Phone");
		assert.equal(inFrontText(priya, []), "Priya: viewing");
		const first = waiting("priya", 10);
		assert.equal(inFrontText(first, [first, waiting("rhys", 11)]), "Priya: waiting, 1st");
	});

	test("says when a user has answered", () => {
		const soon = editor({ fields: ["Phone"], answer: "soon" });
		assert.equal(inFrontText(soon, [], "10:42"), "Daniel: finishing soon (10:42)");
		assert.equal(inFrontText(soon, []), "Daniel: finishing soon");
		assert.equal(inFrontText(editor(), [], "10:42"), "Daniel: editing");
	});

	test("counts the time since the user has asked, by the server's clock", () => {
		const asked_at = "2026-11-22T10:42:00.500000+00:00";
		const me = viewer("amelia", { asked_at, last_seen: "2026-11-22T10:42:13.500000+00:00", seconds_ago: 5 });
		assert.equal(askedSecondsAgo(me), 18);
		assert.deepEqual([-1, 0, 18.9, 60, 605].map(askedText), [
			"Asked 0:00",
			"Asked 0:00",
			"Asked 0:18",
			"Asked 1:00",
			"Asked 10:05",
		]);
	});
});
