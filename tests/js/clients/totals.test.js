import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gbp, gbpChange, isWrong, pence, totalsOf } from "../../../static/js/clients/valuations/totals.js";

describe("pence", () => {
	const cases = {
		"£1,234.50": 123450n,
		5: 500n,
		" 0.1 ": 10n,
		"-7.00": -700n,
		999999999999.99: 99999999999999n,
	};
	for (const [text, amount] of Object.entries(cases))
		test(`of "${text}" are ${amount}`, () => assert.equal(pence(text), amount));
	for (const text of ["", "n/a", "1,5", "1.005", "1e3", "1234567890123"])
		test(`of "${text}" are unknown`, () => assert.equal(pence(text), null));
});

test("pence are shown as pounds", () => {
	assert.deepEqual([0n, 5n, 123456789n, -100050n].map(gbp), [
		"£0.00",
		"£0.05",
		"£1,234,567.89",
		"−£1,000.50",
	]);
});

test("a difference has its sign", () =>
	assert.deepEqual([100n, 0n, -100n].map(gbpChange), ["+£1.00", "£0.00", "−£1.00"]));

test("an empty field is not wrong", () =>
	assert.deepEqual(["", " ", "5", "x"].map(isWrong), [false, false, false, true]));

test("the total has the typed amounts, and of the other products the amount of the day or the last value", () => {
	const rows = [
		{ typed: "0.10", before: "5.00", kept: "5.00" },
		{ typed: "", before: "0.20", kept: "0.30" },
		{ typed: "wrong", before: "1000.00", kept: "1000.00" },
		{ typed: "£0.20", before: "0", kept: "0" },
	];
	const totals = { entered: 2, enteredPence: 30n, beforePence: 100520n, afterPence: 100060n };
	assert.deepEqual(totalsOf(rows), totals);
});
