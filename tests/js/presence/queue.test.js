import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inFront, inTurn, waits } from "../../../static/js/presence/sync/wait-queue.js";
import { viewer } from "../cast.js";

const at = (minute) => ({ waiting_since: `2026-11-22T10:${minute}:00.000001+00:00` });
const names = (users) => users.map(({ first_name }) => first_name);
const amelia = viewer("amelia", at(10));
const daniel = viewer("daniel");
const priya = viewer("priya", at(11));

describe("whom one waits for", () => {
	test("those who look and those who edit", () => {
		const editing = viewer("rhys", { activity: "editing" });
		assert.deepEqual(names(inFront([daniel, editing], amelia)), ["Daniel", "Rhys"]);
	});

	test("of two who wait, the later waits for the earlier and not the other way round", () => {
		assert.deepEqual(names(inFront([priya], amelia)), []);
		assert.deepEqual(names(inFront([amelia], priya)), ["Amelia"]);
	});

	test("of two who have asked in the same instant one goes first", () => {
		const twin = viewer("daniel", at(10));
		assert.deepEqual(names(inFront([twin], amelia)), []);
		assert.deepEqual(names(inFront([amelia], twin)), ["Amelia"]);
	});

	test("until the server knows that one waits one is the last", () => {
		assert.deepEqual(names(inFront([amelia, priya], viewer("daniel"))), ["Amelia", "Priya"]);
		assert.deepEqual(names(inFront([amelia], undefined)), ["Amelia"]);
	});

	test("who waits in one tab and edits in another edits", () => {
		const both = viewer("priya", { ...at(11), activity: "editing" });
		assert.equal(waits(both), false);
		assert.deepEqual(names(inFront([both], amelia)), ["Priya"]);
	});

	test("nobody who has said that they are done and only looks on", () => {
		const done = viewer("daniel", { answer: "done" });
		assert.deepEqual(names(inFront([done], amelia)), []);
		assert.deepEqual(names(inFront([{ ...done, activity: "editing" }], amelia)), ["Daniel"]);
		assert.deepEqual(names(inFront([viewer("daniel", { answer: "soon" })], amelia)), ["Daniel"]);
	});
});

test("those who wait, in the order of asking", () => {
	assert.deepEqual(names(inTurn([priya, daniel, amelia])), ["Amelia", "Priya"]);
});
