import assert from "node:assert/strict";
import { test } from "node:test";

import { RowStates } from "../../../static/js/presence/sync/row-states.js";

const DANIEL = { id: 2, activity: "viewing", visible: true, fields: [], seconds_ago: 1 };
const event = (members) => ({ page: "client-1", version: 1, users: [], ...members });

test("the state of a row when the stream opens is no change, also when it opens again", () => {
	const states = new RowStates();
	assert.equal(states.isChange(event({ users: [DANIEL] })), false);
	assert.equal(states.isChange(event({ users: [{ ...DANIEL, seconds_ago: 30 }], read_at: 7 })), false);
});

test("another version, another user, another activity and the loss of the row are changes", () => {
	const states = new RowStates();
	states.isChange(event({}));
	assert.equal(states.isChange(event({ version: 2 })), true);
	assert.equal(states.isChange(event({ version: 2, users: [DANIEL] })), true);
	assert.equal(states.isChange(event({ version: 2, users: [{ ...DANIEL, activity: "editing" }] })), true);
	assert.equal(states.isChange({ page: "client-1", gone: true }), true);
	assert.equal(states.isChange({ page: "client-9", gone: true }), true);
});
