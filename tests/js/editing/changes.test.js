import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
	characters,
	fieldName,
	changeCountText,
	changedText,
	isChanged,
	isTooLong,
	reportedName,
} from "../../../static/js/editing/changes.js";

const option = (selected, defaultSelected) => ({ selected, defaultSelected });

describe("a text is too long", () => {
	const field = (value, limit = "5") => ({ value, dataset: { maxCharacters: limit } });

	test("with one character more than the limit", () => {
		assert.deepEqual(
			["12345", "123456"].map((value) => isTooLong(field(value))),
			[false, true],
		);
	});

	test("not by blanks around it, nor by a newline that browsers send as two characters", () => {
		assert.equal(isTooLong(field(" 12345\n")), false);
		assert.equal(isTooLong(field("12\r\n45")), false);
	});

	test("not by characters that JavaScript counts as two", () => {
		assert.equal(isTooLong(field("👋👋👋👋👋")), false);
		assert.equal(characters("👋👋"), 2);
	});

	test("never without a limit", () => {
		assert.equal(isTooLong({ value: "x".repeat(100_000), dataset: {} }), false);
		assert.equal(isTooLong({ dataset: {} }), false);
	});
});

describe("a field is changed", () => {
	test("if its text differs from the page's own", () => {
		assert.equal(isChanged({ type: "text", value: "020 7946 0002", defaultValue: "020 7946 0001" }), true);
		assert.equal(isChanged({ type: "text", value: "same", defaultValue: "same" }), false);
	});

	test("if spaces differ, because the server decides what they mean", () => {
		assert.equal(isChanged({ type: "text", value: "S6 7LJ ", defaultValue: "S6 7LJ" }), true);
	});

	test("not if only the kind of newline differs", () => {
		assert.equal(isChanged({ type: "textarea", value: "one\ntwo", defaultValue: "one\r\ntwo" }), false);
	});

	test("if a box is ticked", () => {
		assert.equal(isChanged({ type: "checkbox", checked: true, defaultChecked: false }), true);
		assert.equal(isChanged({ type: "radio", checked: true, defaultChecked: true }), false);
	});

	test("if another option is selected", () => {
		assert.equal(
			isChanged({ type: "select-one", options: [option(false, true), option(true, false)] }),
			true,
		);
		assert.equal(
			isChanged({ type: "select-one", options: [option(false, false), option(true, true)] }),
			false,
		);
	});

	test("not if a drop-down without a selected option shows its first", () => {
		assert.equal(
			isChanged({ type: "select-one", options: [option(true, false), option(false, false)] }),
			false,
		);
		assert.equal(
			isChanged({ type: "select-one", options: [option(false, false), option(true, false)] }),
			true,
		);
	});
});

test("a field's name is its label without marks", () => {
	assert.equal(fieldName("  Phone *"), "Phone");
	assert.equal(fieldName("Next review:"), "Next review");
});

describe("a reported field name", () => {
	test("is its label", () => {
		assert.equal(reportedName("Phone *"), "Phone");
	});

	test("starts with the name of its part", () => {
		assert.equal(reportedName("Status", "ISA A0001"), "ISA A0001: Status");
	});

	test("has at limit 100 characters, and none that a heartbeat may not contain", () => {
		assert.equal(reportedName("Status", "Zoë\u00a0M\u00adöller\n"), "Zoë M öller : Status");
		assert.equal([...reportedName("Status", "👩".repeat(200))].length, 100);
	});
});

test("the save bar and the dialog of Cancel show the number of changed fields", () => {
	assert.deepEqual([0, 1, 3].map(changedText), ["No changes yet", "1 changed", "3 changed"]);
	assert.deepEqual([1, 3].map(changeCountText), ["1 field changed", "3 fields changed"]);
});
