import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as wording from "../../../static/js/editing/remote/wording.js";
import { viewer } from "../cast.js";

const ME = 1;
const daniel = { by_id: 2, by: "Daniel Okafor" };
const priya = { by_id: 3, by: "Priya Raman" };
const me = { by_id: ME, by: "Amelia Hart" };
const system = { by_id: null, by: null };
const changed = (...labels) => labels.map((label) => ({ key: label, label, change: "changed" }));
const said = (...revisions) => wording.whatWasSaved(revisions, ME);

describe("what was saved", () => {
	test("names the person and the fields", () => {
		assert.equal(said({ ...daniel, fields: changed("Phone") }), "Daniel changed Phone");
		assert.equal(said({ ...daniel, fields: changed("Phone", "Notes") }), "Daniel changed Phone and Notes");
		assert.equal(
			said({ ...daniel, fields: changed("Phone", "Notes", "Town") }),
			"Daniel changed Phone, Notes and Town",
		);
		assert.equal(
			said({ ...daniel, fields: changed("Phone", "Notes", "Town", "Email") }),
			"Daniel changed Phone, Notes and 2 more",
		);
	});

	test("names a field once, however often it was saved", () => {
		const fields = changed("Phone");
		assert.equal(said({ ...daniel, fields }, { ...daniel, fields }), "Daniel changed Phone");
	});

	test("tells several people apart", () => {
		assert.equal(
			said(
				{ ...daniel, fields: changed("Phone") },
				{ ...priya, fields: changed("Town") },
				{ ...daniel, fields: changed("Notes") },
			),
			"Daniel changed Phone and Notes; Priya changed Town",
		);
	});

	test("says which of one's own values were replaced or undone", () => {
		const fields = [
			...changed("Phone").map((field) => ({ ...field, overrules_you: true })),
			...changed("Town"),
		];
		assert.equal(said({ ...daniel, fields }), "Daniel replaced your Phone and changed Town");
		assert.equal(
			said({ ...daniel, source: "revert", fields }),
			"Daniel undid your change to Phone and changed Town",
		);
	});

	test("tells what was added and removed", () => {
		const fields = [...changed("Phone"), { key: "person/3", label: "a person", change: "added" }];
		assert.equal(said({ ...daniel, fields }), "Daniel changed Phone and added a person");
		assert.equal(
			said({ ...daniel, fields: [{ key: "product/3", label: "a product", change: "removed" }] }),
			"Daniel removed a product",
		);
	});

	test("calls oneself you, and an import by what it is", () => {
		assert.equal(said({ ...me, fields: changed("Phone") }), "You changed Phone elsewhere");
		assert.equal(said({ ...system, fields: changed("Phone") }), "An import or a command changed Phone");
	});
});

describe("beside a field", () => {
	test("stands whose value it has taken, and what was there", () => {
		assert.equal(wording.arrivedFrom(daniel, ME), "Daniel");
		assert.equal(wording.arrivedFrom(me, ME), "You elsewhere");
		assert.equal(wording.arrivedFrom(system, ME), "An import or a command");
		assert.equal(wording.wasText("0151 496 0000"), "was 0151 496 0000");
		assert.equal(wording.wasText(""), "was empty");
	});

	test("stands when the value was saved", () => {
		assert.deepEqual([-2, 59, 60, 3600].map(wording.savedText), [
			"just now",
			"just now",
			"1 minute ago",
			"1 hour ago",
		]);
	});

	test("that the user has changed stand the other value and the two choices", () => {
		const sentence = (newer) => wording.savedThis(newer, ME).join("");
		assert.equal(sentence({ ...daniel, value: "01632 960999" }), "Daniel saved 01632 960999");
		assert.equal(sentence({ ...me, value: "1" }), "You elsewhere saved 1");
		assert.equal(sentence({ ...daniel, value: "" }), "Daniel emptied this");
		assert.equal(wording.useTheirs(daniel, ME), "Use Daniel’s");
		assert.equal(wording.useTheirs(me, ME), "Use your earlier value");
		assert.equal(wording.useTheirs(system, ME), "Use the other value");
	});

	test("stands which value the save keeps", () => {
		assert.equal(wording.keptMine(daniel, ME), "Saving puts yours in place of Daniel’s");
		assert.equal(wording.keptMine(me, ME), "Saving puts yours in place of your earlier value");
		assert.equal(wording.keptMine(system, ME), "Saving puts yours in place of the other value");
	});

	const replaced = { before: "07700 900123", after: "01632 960999", isUndo: false };
	const overruled = {
		...daniel,
		version: 3,
		label: "Phone",
		overruled: { ...daniel, version: 3, ...replaced },
	};
	const since = { ...priya, version: 4, label: "Phone", overruled: overruled.overruled };

	test("stands who replaced one's own value, with both", () => {
		assert.equal(
			wording.replacedYours(overruled, ME),
			"Daniel replaced your Phone: 07700 900123 → 01632 960999",
		);
		assert.equal(
			wording.replacedYours(since, ME),
			"Daniel replaced your Phone: 07700 900123 → 01632 960999. Priya changed this",
		);
		const emptied = { ...overruled, overruled: { ...overruled.overruled, after: "" } };
		assert.equal(wording.replacedYours(emptied, ME), "Daniel replaced your Phone: 07700 900123 → empty");
	});

	test("stands who undid one's own change", () => {
		const undone = { ...overruled, overruled: { ...overruled.overruled, isUndo: true } };
		assert.equal(
			wording.replacedYours(undone, ME),
			"Daniel undid your change to Phone: 07700 900123 → 01632 960999",
		);
	});

	test("stands of a text of several lines only that it was replaced", () => {
		const text = { ...overruled, label: "Notes", overruled: { ...overruled.overruled, isText: true } };
		assert.equal(wording.replacedYours(text, ME), "Daniel replaced your Notes");
		assert.equal(
			wording.bothAreHere(text, ME),
			"Daniel replaced your Notes. What you have typed since is here too",
		);
		assert.equal(
			wording.linesTouch(text, ME),
			"Daniel replaced your Notes, in lines that you have changed again:",
		);
	});

	test("stands that the part was removed", () => {
		assert.match(wording.removedThis(daniel, ME), /^Daniel removed this\. /);
		assert.match(
			wording.removedThis({ ...daniel, source: "revert" }, ME),
			/^Daniel removed this by undoing a change\. /,
		);
	});

	test("stand long texts abbreviated, in one line", () => {
		assert.equal(wording.shortened("one\n\n two"), "one two");
		assert.equal(wording.shortened("x".repeat(60)), "x".repeat(60));
		assert.equal(wording.shortened("x".repeat(61)), `${"x".repeat(59)}…`);
		assert.equal(wording.shortened("👩".repeat(70)), `${"👩".repeat(59)}…`);
	});
});

test("the rail names at most three fields of a save", () => {
	const shown = (...labels) => {
		const { shown: fields, more } = wording.shownFields(changed(...labels));
		return [...fields.map(({ label }) => label), more];
	};
	assert.deepEqual(shown("Phone", "Town", "Notes"), ["Phone", "Town", "Notes", 0]);
	assert.deepEqual(shown("Phone", "Town", "Notes", "Email"), ["Phone", "Town", 2]);
});

describe("the sentence of a field", () => {
	const editing = (name, state) => viewer(name, { activity: "editing", ...state });
	const sentence = (...others) => wording.whoIsIn(wording.usersIn(others, "Phone"), "Phone");

	test("says who is in the field, who changes it there, and who has changed it", () => {
		assert.equal(sentence(editing("daniel", { focus: "Phone" })), "Daniel is here");
		assert.equal(
			sentence(editing("daniel", { focus: "Phone", fields: ["Phone"] })),
			"Daniel is changing this",
		);
		assert.equal(
			sentence(editing("daniel", { focus: "Notes", fields: ["Phone"] })),
			"Daniel changed this, not saved yet",
		);
	});

	test("is empty for users in another field and users who only view", () => {
		const views = viewer("daniel", { fields: ["Phone"], focus: "Phone" });
		assert.equal(sentence(views, editing("priya", { fields: ["Notes"] })), "");
	});

	test("names the user in the field first and counts the others", () => {
		const daniel = editing("daniel", { fields: ["Phone"] });
		const [priya, rhys] = ["priya", "rhys"].map((name) => editing(name, { focus: "Phone" }));
		assert.equal(sentence(daniel, priya), "Priya and 1 other are here");
		assert.equal(sentence(daniel, priya, rhys), "Priya and 2 others are here");
	});
});
