import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ageInWords } from "../../static/js/lib/ages.js";

// The server writes the same words: tests/test_formatting.py reads the same table.
const table = JSON.parse(readFileSync(new URL("../ages.json", import.meta.url), "utf8"));

for (const [seconds, words] of table)
	test(`${seconds} seconds are "${words}"`, () => assert.equal(ageInWords(seconds), words));
