import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
	isSameNumber,
	isSameText,
	isSeen,
	latestSaves,
	newer,
	removal,
} from "../../../static/js/editing/remote/revisions.js";

const PEOPLE = { daniel: [2, "Daniel Okafor"], priya: [3, "Priya Raman"] };

/** A revision by one of the cast: {phone: ["before", "after"]}. */
function revision(version, who, changes) {
	const [by_id, by] = PEOPLE[who];
	const fields = Object.entries(changes).map(([key, [raw_before, raw]]) => ({
		key,
		label: key,
		change: "changed",
		value: raw,
		raw,
		raw_before,
	}));
	return { version, by, by_id, at: "2026-11-22T10:42:00+00:00", source: "form", fields };
}

const whole = (version, key, change) => ({
	...revision(version, "daniel", {}),
	fields: [{ key, label: "a person", change }],
});

describe("the newer values of an editor", () => {
	test("are the last ones, with who gave them and what was there at first", () => {
		const revisions = [
			revision(6, "daniel", { phone: ["1", "2"], notes: ["", "n"] }),
			revision(7, "priya", { phone: ["2", "3"] }),
		];

		const [phone, notes] = newer(revisions, "");

		assert.deepEqual(phone, {
			name: "phone",
			version: 7,
			by: "Priya Raman",
			by_id: 3,
			at: "2026-11-22T10:42:00+00:00",
			value: "3",
			raw: "3",
			before: "1",
		});
		assert.deepEqual([notes.name, notes.version, notes.by_id], ["notes", 6, 2]);
	});

	test("say which of them replaced the reader's own value, also where it was changed again", () => {
		const [first, second] = [
			revision(6, "daniel", { phone: ["1", "2"] }),
			revision(7, "priya", { phone: ["2", "3"] }),
		];
		Object.assign(first.fields[0], { overrules_you: true, value_before: "one" });

		const [phone] = newer([first, second], "");

		assert.deepEqual([phone.version, phone.overruled.version, phone.overruled.by_id], [7, 6, 2]);
		const { before, after, raw, isUndo } = phone.overruled;
		assert.deepEqual({ before, after, raw, isUndo }, { before: "one", after: "2", raw: "1", isUndo: false });
		assert.equal(newer([{ ...first, source: "revert" }], "")[0].overruled.isUndo, true);
	});

	test("leave out what is back where it was", () => {
		const revisions = [
			revision(6, "daniel", { phone: ["1", "2"] }),
			revision(7, "priya", { phone: ["2", "1"] }),
		];

		assert.deepEqual(newer(revisions, ""), []);
	});

	test("of the record are none of its parts, and the other way round", () => {
		const revisions = [
			revision(6, "daniel", {
				phone: ["1", "2"],
				"person/12/title": ["", "Dr"],
				"person/1/title": ["", "x"],
			}),
		];

		assert.deepEqual(
			newer(revisions, "").map(({ name }) => name),
			["phone"],
		);
		assert.deepEqual(
			newer(revisions, "person/12").map(({ name, raw }) => [name, raw]),
			[["title", "Dr"]],
		);
	});

	test("are none of a part that has come or gone as a whole", () => {
		assert.deepEqual(newer([whole(6, "person/12", "added")], "person/12"), []);
	});
});

describe("a part that is being edited", () => {
	test("may be removed by somebody", () => {
		assert.equal(removal([whole(6, "person/12", "removed")], "person/12").version, 6);
	});

	test("is not removed with another, nor by being added", () => {
		assert.equal(
			removal([whole(6, "person/1", "removed"), whole(7, "person/12", "added")], "person/12"),
			undefined,
		);
	});
});

describe("the hidden input", () => {
	test("tells what has been shown already, so that it is not shown again", () => {
		const [phone] = newer([revision(7, "daniel", { phone: ["1", "2"] })], "");

		assert.equal(isSeen("notes:9 phone:7", phone), true);
		assert.equal(isSeen("phone:6", phone), false);
		assert.equal(isSeen("", phone), false);
	});
});

test("line ends are no difference", () => {
	assert.equal(isSameText("one\r\ntwo", "one\ntwo"), true);
	assert.equal(isSameText("one", "one "), false);
});

describe("the same amount", () => {
	for (const [one, other, is] of [
		["£25,000", "25000.00", true],
		["0.75%", "0.750", true],
		["25000", "2500", false],
		["0,075", "75", false],
		["1234,567", "1234567", false],
		["", "0", false],
		["lots", "lots", false],
	])
		test(`${one} and ${other}: ${is}`, () => assert.equal(isSameNumber(one, other), is));
});

test("the last five saves of other users are the newest first", () => {
	const [one, two, three, four, five, six] = [1, 2, 3, 4, 5, 6].map((version) =>
		revision(version, version === 3 ? "priya" : "daniel", { phone: ["", `${version}`] }),
	);
	const known = latestSaves([], [one, two, three], 3);
	assert.deepEqual(known, [two, one]);
	assert.deepEqual(latestSaves(known, [four, five, six, six], 3), [six, six, five, four, two]);
});
