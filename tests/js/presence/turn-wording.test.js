import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { turnText } from "../../../static/js/presence/ui/turn-wording.js";

const ME = 1;
const daniel = { by_id: 2, by: "Daniel Okafor" };
const priya = { by_id: 3, by: "Priya Raman" };
const changed = (...labels) => labels.map((label) => ({ key: label, label, change: "changed" }));
const text = (...revisions) => turnText({ changes: revisions }, ME);

describe("the message to a user whose turn has come", () => {
	test("says only that if nothing has changed", () => assert.equal(text(), "Your turn."));

	test("names what other users changed, and the newest author of each field", () => {
		assert.equal(
			text({ ...priya, fields: changed("Address line 1") }),
			"Your turn. Changed while you waited: Address line 1 (Priya)",
		);
		assert.equal(
			text(
				{ ...daniel, fields: changed("Phone", "Email") },
				{ ...priya, fields: changed("Town") },
				{ ...priya, fields: changed("Email") },
			),
			"Your turn. Changed while you waited: Phone (Daniel); Email and Town (Priya)",
		);
	});

	test("does not name what the user changed in another tab", () =>
		assert.equal(text({ by_id: ME, by: "Amelia Hart", fields: changed("Phone") }), "Your turn."));

	test("names parts that were added and removed, and imports", () => {
		const fields = [{ key: "person/3", label: "a person", change: "added" }];
		assert.equal(
			text({ ...daniel, fields }, { by: null, by_id: null, fields: changed("Phone") }),
			"Your turn. Changed while you waited: a person added (Daniel); Phone (an import or a command)",
		);
	});

	test("names no field if there are too many changes to list", () =>
		assert.equal(
			turnText({ changes: [{ ...daniel, fields: changed("Phone") }], truncated: true }, ME),
			"Your turn. This record has changed many times while you waited.",
		));
});
