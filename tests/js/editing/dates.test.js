import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { parseDate, formatLongDate, formatDate } from "../../../static/js/editing/dates.js";

const table = JSON.parse(readFileSync(new URL("../../days.json", import.meta.url), "utf8"));

for (const [text, day] of Object.entries(table.understood))
	test(`"${text}" is read as ${day}`, () => assert.equal(parseDate(text), day));

for (const text of Object.keys(table.refused))
	test(`"${text}" is no date`, () => assert.equal(parseDate(text), ""));

test("an empty text is no date and stays empty", () =>
	assert.deepEqual([parseDate(""), formatDate("")], ["", ""]));

test("a date is shown with its month in words, and parsed as the same date", () => {
	assert.equal(formatDate("2026-12-08"), "8 December 2026");
	for (let ms = Date.UTC(2023, 0, 1); ms < Date.UTC(2029, 0, 1); ms += 86_400_000) {
		const iso = new Date(ms).toISOString().slice(0, 10);
		assert.equal(parseDate(formatDate(iso)), iso);
	}
});

test("a date is read back with its weekday, and no date as an empty text", () => {
	assert.deepEqual([formatLongDate("2026-12-08"), formatLongDate("")], ["Tuesday 8 December 2026", ""]);
});
