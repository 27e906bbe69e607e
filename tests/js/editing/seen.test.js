import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { formatSeen, parseSeen, seenVersion, withSeen } from "../../../static/js/editing/seen.js";

// tests/editing/test_seen.py uses the same examples.
const { decoded, encoded } = JSON.parse(readFileSync(new URL("../../seen.json", import.meta.url), "utf8"));

describe("the text of seen versions", () => {
	for (const { text, versions } of decoded)
		test(`${JSON.stringify(text)} is decoded as on the server`, () => {
			assert.deepEqual(Object.fromEntries(parseSeen(text)), versions);
			assert.deepEqual(
				Object.fromEntries(parseSeen(formatSeen(new Map(Object.entries(versions))))),
				versions,
			);
		});

	for (const { text, versions } of encoded)
		test(`${JSON.stringify(text)} is encoded as on the server`, () => {
			assert.equal(formatSeen(new Map(Object.entries(versions))), text);
		});
});

describe("the version of one field", () => {
	test("is added or replaced", () => {
		assert.equal(withSeen("", "phone", 7), "phone:7");
		assert.equal(withSeen("phone:7", "notes", 8), "notes:8 phone:7");
		assert.equal(withSeen("notes:8 phone:7", "phone", 9), "notes:8 phone:9");
	});

	test("is removed by 0", () => {
		assert.equal(withSeen("notes:8 phone:7", "phone", 0), "notes:8");
	});

	test("is 0 for a field that was not seen", () => {
		assert.equal(seenVersion("notes:8 phone:7", "notes"), 8);
		assert.equal(seenVersion("phone:7", "notes"), 0);
	});
});
