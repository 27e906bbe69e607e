import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { amountHint, formatAmount } from "../../../static/js/editing/amounts.js";

describe("an amount", () => {
	const cases = {
		1234567.5: "1,234,567.50",
		"£991071.63": "991,071.63",
		" £ 1,000 ": "1,000.00",
		"0012": "12.00",
		0: "0.00",
		999999999999.99: "999,999,999,999.99",
		"1,234,567.50": "1,234,567.50",
	};
	for (const [typed, shown] of Object.entries(cases))
		test(`"${typed}" is shown as "${shown}"`, () => assert.equal(formatAmount(typed), shown));

	for (const text of [
		"",
		"£",
		"lots",
		"1,23",
		"0,075",
		"1234,567",
		"1.005",
		"-5",
		"1e3",
		"1234567890123",
		"10%",
		"٣",
	])
		test(`"${text}" stays as typed`, () => assert.equal(formatAmount(text), text));
});

test("the hint names the saved amount while another is typed", () => {
	assert.equal(amountHint("Pounds a year", "1,200.00"), "Pounds a year · saved: £1,200.00");
	assert.equal(amountHint("Pounds a year", ""), "Pounds a year");
});
