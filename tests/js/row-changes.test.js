import assert from "node:assert/strict";
import { test } from "node:test";

import { RowChanges } from "../../static/js/clients/row-changes.js";

/** @type {[string, number][]} */
const SHOWN = [
	["client-1", 3],
	["client-2", 1],
	["client-3", 1],
];

function changesOf(...events) {
	const changes = new RowChanges();
	changes.show(SHOWN);
	for (const event of events) changes.take(event);
	return changes;
}

test("rows with a newer version on the server are counted once each", () => {
	assert.equal(changesOf({ page: "client-1", version: 3 }).sentence, "");
	assert.equal(changesOf({ page: "client-1", version: 4 }).sentence, "1 client changed");
	const twice = [4, 5].map((version) => ({ page: "client-1", version }));
	assert.equal(changesOf(...twice, { page: "client-2", version: 2 }).sentence, "2 clients changed");
});

test("an older version, another row and a row that is gone are not counted", () => {
	const older = { page: "client-1", version: 2 };
	const other = { page: "client-9", version: 9 };
	assert.equal(changesOf(older, other).sentence, "");
	assert.equal(changesOf({ page: "client-1", version: 4 }, { page: "client-1", gone: true }).sentence, "");
});

test("rows that are shown again count only what is newer than they are", () => {
	const changes = changesOf({ page: "client-1", version: 5 }, { page: "client-2", version: 2 });
	changes.show([
		["client-2", 2],
		["client-1", 4],
	]);
	assert.equal(changes.sentence, "1 client changed");
	changes.show([["client-1", 5]]);
	assert.equal(changes.sentence, "");
});

test("without the stream the order says what has changed, and whether rows have come, gone or moved", () => {
	let isLast = false;
	const read = (/** @type {[string, number][]} */ ...rows) => {
		const changes = changesOf();
		changes.takeOrder(rows, { isLast });
		return changes.sentence;
	};
	const [one, two, three] = SHOWN;
	assert.equal(read(...SHOWN, ["client-4", 1]), "");
	assert.equal(read(["client-1", 4], two, three), "1 client changed");
	assert.equal(read(two, one, three), "The list has changed");
	assert.equal(read(["client-9", 1], one, two, three), "The list has changed");
	assert.equal(read(one, two), "The list has changed");
	isLast = true;
	assert.equal(read(...SHOWN), "");
	assert.equal(read(...SHOWN, ["client-4", 1]), "The list has changed");
});

test("a client that has come between the shown rows is new in the list, on its first and last page also before and after them", () => {
	const [one, two, three] = SHOWN;
	const entering = (/** @type {[string, number][]} */ rows, place = {}) => {
		const changes = changesOf();
		changes.takeListed(["client-8", "client-9"], rows, { isFirst: false, isLast: false, ...place });
		return changes.sentence;
	};
	const nine = /** @type {[string, number]} */ (["client-9", 1]);
	assert.equal(entering([one, nine, two, three]), "1 new in this list");
	assert.equal(entering([one, nine, two, ["client-8", 2], three]), "2 new in this list");
	assert.equal(entering([one, two, three]), "");
	assert.equal(entering([nine, one, two, three]), "");
	assert.equal(entering([nine, one, two, three], { isFirst: true }), "1 new in this list");
	assert.equal(entering([one, two, three, nine], { isFirst: true }), "");
	assert.equal(entering([one, two, three, nine], { isLast: true }), "1 new in this list");
	const empty = new RowChanges();
	empty.takeListed(["client-9"], [nine], { isFirst: true, isLast: true });
	assert.equal(empty.sentence, "1 new in this list");
});

test("a new client is counted beside changed ones, until it leaves the view or is shown", () => {
	const [one, two, three] = SHOWN;
	const changes = changesOf({ page: "client-1", version: 4 });
	const place = { isFirst: false, isLast: false };
	changes.takeListed(["client-9"], [one, ["client-9", 1], two, three], place);
	assert.equal(changes.sentence, "1 client changed, 1 new");
	changes.takeListed(["client-9"], [one, two, three], place);
	assert.equal(changes.sentence, "1 client changed");
	changes.takeListed(["client-9"], [one, ["client-9", 2], two, three], place);
	changes.show([["client-1", 4], ["client-9", 2], two]);
	assert.equal(changes.sentence, "");
	changes.takeListed(["client-8"], [["client-1", 4], ["client-8", 1], ["client-9", 2], two], place);
	assert.equal(changes.sentence, "1 new in this list");
	changes.takeOrder([["client-1", 4], ["client-9", 2], two], place);
	assert.equal(changes.sentence, "");
});
