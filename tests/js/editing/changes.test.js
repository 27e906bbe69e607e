import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
	characters,
	fieldName,
	fieldsChanged,
	isChanged,
	isTooLong,
	reportedName,
} from "../../../static/js/editing/changes.js";

const option = (selected, defaultSelected) => ({ selected, defaultSelected });

describe("a field is too long", () => {
	const field = (value, most = "5") => ({ value, dataset: { maxCharacters: most } });

	test("with one character more than it may have", () => {
		assert.deepEqual(
			["12345", "123456"].map((value) => isTooLong(field(value))),
			[false, true],
		);
	});

	test("not for blanks around it, nor for a newline that browsers send as two", () => {
		assert.equal(isTooLong(field(" 12345\n")), false);
		assert.equal(isTooLong(field("12\r\n45")), false);
	});

	test("not for characters that a script counts as two", () => {
		assert.equal(isTooLong(field("👋👋👋👋👋")), false);
		assert.equal(characters("👋👋"), 2);
	});

	test("never where no limit is told", () => {
		assert.equal(isTooLong({ value: "x".repeat(100_000), dataset: {} }), false);
		assert.equal(isTooLong({ dataset: {} }), false);
	});
});

describe("a field is changed", () => {
	test("when its text differs from what the page came with", () => {
		assert.equal(isChanged({ type: "text", value: "020 7946 0002", defaultValue: "020 7946 0001" }), true);
		assert.equal(isChanged({ type: "text", value: "same", defaultValue: "same" }), false);
	});

	test("when spaces differ: the server decides what they mean", () => {
		assert.equal(isChanged({ type: "text", value: "S6 7LJ ", defaultValue: "S6 7LJ" }), true);
	});

	test("not when only the kind of newline differs", () => {
		assert.equal(isChanged({ type: "textarea", value: "one\ntwo", defaultValue: "one\r\ntwo" }), false);
	});

	test("when a box is ticked", () => {
		assert.equal(isChanged({ type: "checkbox", checked: true, defaultChecked: false }), true);
		assert.equal(isChanged({ type: "radio", checked: true, defaultChecked: true }), false);
	});

	test("when another option is chosen", () => {
		assert.equal(
			isChanged({ type: "select-one", options: [option(false, true), option(true, false)] }),
			true,
		);
		assert.equal(
			isChanged({ type: "select-one", options: [option(false, false), option(true, true)] }),
			false,
		);
	});

	test("not when a drop-down without a chosen option shows its first", () => {
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

describe("others are told of a field", () => {
	test("by its label", () => {
		assert.equal(reportedName("Phone *"), "Phone");
	});

	test("with the name of the part before it", () => {
		assert.equal(reportedName("Status", "ISA A0001"), "ISA A0001: Status");
	});

	test("in at most 100 characters that a beat may hold", () => {
		assert.equal(reportedName("Status", "Zoë\u00a0M\u00adöller\n"), "Zoë M öller : Status");
		assert.equal([...reportedName("Status", "👩".repeat(200))].length, 100);
	});
});

test("the save bar counts", () => {
	assert.deepEqual([0, 1, 3].map(fieldsChanged), ["No changes yet", "1 field changed", "3 fields changed"]);
});
