import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import {
	conflictingUsers,
	inWaitingOrder,
	isWaiting,
	usersAhead,
} from "../../../static/js/presence/sync/wait-queue.js";
import { viewer } from "../cast.js";

const examples = JSON.parse(readFileSync(new URL("../../conflicting.json", import.meta.url), "utf8"));

const at = (minute) => ({ waiting_since: `2026-11-22T10:${minute}:00.000001+00:00` });
const names = (users) => users.map(({ first_name }) => first_name);
const amelia = viewer("amelia", at(10));
const daniel = viewer("daniel");
const priya = viewer("priya", at(11));

describe("a user who waits", () => {
	test("waits for users who view and users who edit", () => {
		const editing = viewer("rhys", { activity: "editing" });
		assert.deepEqual(names(usersAhead([daniel, editing], amelia)), ["Daniel", "Rhys"]);
	});

	test("waits for a user who started to wait earlier, and not the other way round", () => {
		assert.deepEqual(names(usersAhead([priya], amelia)), []);
		assert.deepEqual(names(usersAhead([amelia], priya)), ["Amelia"]);
	});

	test("goes first or second by id if both started at the same time", () => {
		const twin = viewer("daniel", at(10));
		assert.deepEqual(names(usersAhead([twin], amelia)), []);
		assert.deepEqual(names(usersAhead([amelia], twin)), ["Amelia"]);
	});

	test("is the last until the server knows that they wait", () => {
		assert.deepEqual(names(usersAhead([amelia, priya], viewer("daniel"))), ["Amelia", "Priya"]);
		assert.deepEqual(names(usersAhead([amelia], undefined)), ["Amelia"]);
	});

	test("in one tab and edits in another counts as editing", () => {
		const both = viewer("priya", { ...at(11), activity: "editing" });
		assert.equal(isWaiting(both), false);
		assert.deepEqual(names(usersAhead([both], amelia)), ["Priya"]);
	});

	test("does not wait for a user who views and has answered done", () => {
		const done = viewer("daniel", { answer: "done" });
		assert.deepEqual(names(usersAhead([done], amelia)), []);
		assert.deepEqual(names(usersAhead([{ ...done, activity: "editing" }], amelia)), ["Daniel"]);
		assert.deepEqual(names(usersAhead([viewer("daniel", { answer: "soon" })], amelia)), ["Daniel"]);
	});
});

describe("the dialog before editing asks", () => {
	for (const warning of ["present", "editing"])
		for (const { who, user, [warning]: asks } of examples)
			test(`${asks ? "" : "not "}about ${who}, if the setting is "${warning}"`, () => {
				assert.equal(conflictingUsers([viewer("daniel", user)], warning).length, Number(asks));
			});

	test("about a user of whom an older server does not say whether they may edit", () => {
		assert.equal(conflictingUsers([viewer("daniel", { may_edit: undefined })], "present").length, 1);
	});
});

test("users who wait are sorted by the time when they started", () => {
	assert.deepEqual(names(inWaitingOrder([priya, daniel, amelia])), ["Amelia", "Priya"]);
});
