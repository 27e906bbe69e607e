import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
	activityText,
	editedNames,
	editingWhat,
	editorsFirst,
	fullName,
	handOverText,
	lastSeen,
	nudgeText,
	avatarTitle,
	whoEdits,
	whoIsHere,
} from "../../../static/js/presence/ui/wording.js";
import { removalWarning } from "../../../static/js/clients/removal-wording.js";
import { amelia, daniel, priya, viewer } from "../cast.js";

const editing = (...fields) => viewer("daniel", { activity: "editing", fields });
const away = viewer("daniel", { visible: false });

const waiting = (name, about = {}) => viewer(name, { waiting_since: "2026-11-22T10:42:00+00:00", ...about });

describe("the indicator's sentence", () => {
	const sentence = (...others) =>
		whoIsHere(others, "client record")
			.map(({ text }) => text)
			.join(" · ");
	const cases = [
		["is empty for a user who is alone", [], ""],
		["names one viewer as the request does", [daniel], "Daniel is also viewing this client record"],
		["counts several viewers as the request does", [daniel, priya], "2 users are viewing this client record"],
		["names an editor who has changed nothing", [editing()], "Daniel is editing this client record"],
		["names the field of an editor", [editing("Phone")], "Daniel is editing Phone"],
		["names editors before viewers", [priya, editing("Phone")], "Daniel is editing Phone · Priya is viewing"],
		[
			"counts several viewers after an editor",
			[priya, amelia, editing("Phone")],
			"Daniel is editing Phone · 2 users are viewing",
		],
		[
			"names two editors",
			[editing("Phone"), viewer("priya", { activity: "editing" })],
			"Daniel and Priya are editing",
		],
		[
			"names an editor in a hidden tab, who holds unsaved changes",
			[viewer("daniel", { activity: "editing", visible: false })],
			"Daniel is editing this client record",
		],
		[
			"names a waiting user before viewers",
			[priya, waiting("daniel")],
			"Daniel is waiting · Priya is viewing",
		],
		[
			"names a user who is away last",
			[away, priya],
			"Priya is also viewing this client record · Daniel is away",
		],
		[
			"has a clause for each state",
			[amelia, away, waiting("priya"), viewer("rhys", { activity: "editing", fields: ["Town"] })],
			"Rhys is editing Town · Priya is waiting · Amelia is viewing · Daniel is away",
		],
		["counts users who are away", [away, viewer("priya", { visible: false })], "2 users are away"],
	];
	for (const [name, others, expected] of cases) test(name, () => assert.equal(sentence(...others), expected));
	test("tells the state of each clause", () =>
		assert.deepEqual(
			whoIsHere([away, priya, editing()], "fund").map(({ state }) => state),
			["editing", "viewing", "away"],
		));
});

describe("an avatar's title", () => {
	test("active", () => assert.equal(avatarTitle(daniel), "Daniel Okafor – Active now"));
	test("editing", () => assert.equal(avatarTitle(editing("Phone")), "Daniel Okafor – Editing"));
	test("away", () => assert.equal(avatarTitle(away), "Daniel Okafor – Away"));
	test("waiting", () => assert.equal(avatarTitle(waiting("daniel")), "Daniel Okafor – Waiting to edit"));
	test("waiting in a hidden tab", () =>
		assert.equal(
			avatarTitle(waiting("daniel", { visible: false })),
			"Daniel Okafor – Waiting to edit, away",
		));
	test("editing in a hidden tab", () => {
		const hidden = viewer("daniel", { activity: "editing", visible: false });
		assert.equal(avatarTitle(hidden), "Daniel Okafor – Editing, away");
	});
});

describe("who edits, by name", () => {
	const editors = (...names) => names.map((name) => viewer(name, { activity: "editing" }));
	test("no user", () => assert.equal(whoEdits([daniel, priya]), ""));
	test("one of two", () => assert.equal(whoEdits([priya, editing()]), "Daniel is editing"));
	test("two", () => assert.equal(whoEdits(editors("daniel", "priya")), "Daniel and Priya are editing"));
	test("more than two", () =>
		assert.equal(
			whoEdits([...editors("daniel", "priya"), ...editors("daniel")]),
			"Daniel and 2 others are editing",
		));
});

describe("what somebody does", () => {
	test("looking is not worth a word", () => assert.equal(activityText(daniel), ""));
	test("away", () => assert.equal(activityText(away), "Away"));
	test("editing, nothing changed yet", () => assert.equal(activityText(editing()), "Editing"));
	test("one field", () => assert.equal(activityText(editing("Phone")), "Editing Phone"));
	test("the field with the focus before the changed ones", () =>
		assert.equal(activityText({ ...editing("Email", "Phone"), focus: "Phone" }), "Editing Phone and Email"));
	test("two fields", () => assert.equal(activityText(editing("Phone", "Email")), "Editing Phone and Email"));
	test("many fields", () =>
		assert.equal(
			activityText(editing("Phone", "Email", "Town", "Notes")),
			"Editing Phone, Email and 2 more",
		));
	test("waiting", () => {
		const waiting = { waiting_since: "2026-11-22T10:42:00+00:00" };
		assert.equal(activityText(viewer("daniel", waiting)), "Waiting to edit");
		assert.equal(activityText(viewer("daniel", { ...waiting, visible: false })), "Waiting to edit, away");
		assert.equal(activityText(viewer("daniel", { ...waiting, activity: "editing" })), "Editing");
	});
	test("a hidden editor still holds his changes", () => {
		assert.equal(
			activityText(viewer("daniel", { activity: "editing", visible: false, fields: ["Phone"] })),
			"Editing Phone, away",
		);
	});
});

describe("last seen", () => {
	const cases = {
		0: "less than a minute",
		59: "less than a minute",
		60: "1 minute",
		119: "1 minute",
		120: "2 minutes",
	};
	for (const [seconds, time] of Object.entries(cases)) {
		test(`${seconds} s`, () => assert.equal(lastSeen(Number(seconds)), `Last seen: ${time} ago`));
	}
});

test("those on the page are told who waits", () => {
	assert.equal(nudgeText([daniel], "client record"), "Daniel Okafor is waiting to edit this client record");
	assert.equal(
		nudgeText([daniel, priya, viewer("rhys")], "fund"),
		"Daniel Okafor and 2 more are waiting to edit this fund",
	);
});

test("those who edit are asked to hand over", () => {
	assert.equal(handOverText([daniel], "client"), "Daniel is waiting to edit this client.");
	assert.equal(handOverText([daniel, priya], "client"), "Daniel and 1 more are waiting to edit this client.");
});

test("editors come first, the others stay in their order", () => {
	const rhys = viewer("rhys");
	assert.deepEqual(editorsFirst([priya, rhys, editing()]).map(fullName), [
		"Daniel Okafor",
		"Priya Raman",
		"Rhys Morgan",
	]);
});

describe("on the page that removes a part", () => {
	const prefixes = ["ISA A1:", "ISA A1, ", "New valuation of ISA A1:"];
	const end = "Their changes cannot be saved after the removal.";
	const sentence = (...others) => removalWarning(others, prefixes);
	test("no user edits it", () => {
		assert.equal(sentence(daniel, editing(), editing("Phone"), editing("ISA A12: Provider", "ISA A12")), "");
		assert.equal(sentence({ ...daniel, fields: ["ISA A1: Provider"] }), "");
	});
	test("one has opened it", () =>
		assert.equal(sentence(editing("ISA A1")), `Daniel Okafor is editing ISA A1. ${end}`));
	test("one has changed a field, and one of another part", () =>
		assert.equal(
			sentence(editing("ISA A1: Provider", "Ruth Whitmore: Title")),
			`Daniel Okafor is editing ISA A1: Provider. ${end}`,
		));
	test("two edit its valuations, one of them away", () =>
		assert.equal(
			sentence(
				editing("ISA A1, 31 Mar 2026: Amount"),
				viewer("priya", { activity: "editing", fields: ["New valuation of ISA A1: Amount"], visible: false }),
			),
			`Daniel Okafor is editing ISA A1, 31 Mar 2026: Amount. Priya Raman is editing New valuation of ISA A1: Amount, away. ${end}`,
		));
});

describe("the names of what a user edits", () => {
	test("leave out the part when the user is in one of its fields", () =>
		assert.deepEqual(editedNames({ ...editing("ISA A1"), focus: "ISA A1: Provider" }), ["ISA A1: Provider"]));
	test("make a sentence for one user and for several", () => {
		const names = ({ fields }) => fields;
		const other = viewer("priya", { activity: "editing", fields: ["Town"] });
		assert.equal(editingWhat([editing("Phone", "Town")], names), "Daniel is editing Phone and Town");
		assert.equal(editingWhat([editing("Phone"), other], names), "Daniel and Priya are editing");
	});
});
