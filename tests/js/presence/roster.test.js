import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
	LEAVE_GRACE_MS,
	checkAt,
	visibleViewers,
	isSettled,
	syncRoster,
	stateOf,
	UNKNOWN,
} from "../../../static/js/presence/sync/roster.js";
import { amelia, daniel, priya, viewer } from "../cast.js";

const MINUTE = 60_000;

/** Amelia's browser: feeds rosters at times (ms) and notes what it told her. */
class Browser {
	roster = UNKNOWN;
	news = [];

	constructor(heartbeatMs = 30_000, activeWindowMs = 2 * MINUTE) {
		this.timings = { heartbeatMs, activeWindowMs };
	}

	hears(now, ...users) {
		const context = { now, myId: amelia.id, ...this.timings };
		const { roster, joined, left } = syncRoster(this.roster, users, context);
		this.roster = roster;
		for (const user of joined) this.news.push(`${user.first_name} joined`);
		for (const user of left) this.news.push(`${user.first_name} left`);
		return this;
	}

	get visible() {
		return visibleViewers(this.roster).map((user) => user.first_name);
	}
}

describe("an ordinary day", () => {
	test("it leaves out the caller", () => {
		assert.deepEqual(new Browser().hears(0, amelia, daniel).visible, ["Daniel"]);
	});

	test("those who were there before are no news", () => {
		assert.deepEqual(new Browser().hears(0, amelia, daniel, priya).news, []);
	});

	test("it tells who joins, once", () => {
		const browser = new Browser().hears(0, amelia).hears(1000, amelia, daniel).hears(2000, amelia, daniel);
		assert.deepEqual(browser.news, ["Daniel joined"]);
	});

	test("it draws the newest of what a viewer does", () => {
		const editing = viewer("daniel", { activity: "editing", fields: ["Phone"] });
		const browser = new Browser().hears(0, amelia, daniel).hears(1000, amelia, editing);
		assert.deepEqual(visibleViewers(browser.roster), [editing]);
	});

	test("the first to come is the first drawn, whoever beat last", () => {
		const latecomer = viewer("priya", { entered_at: "2026-11-22T10:30:00+00:00" });
		assert.deepEqual(new Browser().hears(0, latecomer, daniel, amelia).visible, ["Daniel", "Priya"]);
		assert.deepEqual(new Browser().hears(0, amelia, daniel, latecomer).visible, ["Daniel", "Priya"]);
	});

	test("a roster without the caller (a GET before its first beat) is a roster", () => {
		assert.deepEqual(new Browser().hears(0, daniel).visible, ["Daniel"]);
	});
});

describe("calm", () => {
	test("who vanishes stays drawn, in place", () => {
		const browser = new Browser().hears(0, amelia, daniel, priya).hears(1000, amelia, priya);
		assert.deepEqual(browser.visible, ["Daniel", "Priya"]);
		assert.deepEqual(browser.news, []);
	});

	test("it says when to look again", () => {
		const browser = new Browser().hears(0, amelia, daniel);
		assert.equal(checkAt(browser.roster), Number.POSITIVE_INFINITY);
		browser.hears(1000, amelia);
		assert.equal(checkAt(browser.roster), 1000 + LEAVE_GRACE_MS);
	});

	test("an answer inside the calm does not prolong it", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(1000, amelia).hears(4000, amelia);
		assert.equal(checkAt(browser.roster), 1000 + LEAVE_GRACE_MS);
		assert.deepEqual(browser.news, []);
	});

	test("who still misses when it is over has left", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(1000, amelia).hears(6000, amelia);
		assert.deepEqual(browser.news, ["Daniel left"]);
		assert.deepEqual(browser.visible, []);
	});

	test("who is back within it raises no news", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(1000, amelia).hears(5999, amelia, daniel);
		assert.deepEqual(browser.news, []);
		assert.deepEqual(browser.visible, ["Daniel"]);
	});

	test("who is back later, but was never missed by a later answer, raises no news either", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(1000, amelia).hears(31_000, amelia, daniel);
		assert.deepEqual(browser.news, []);
	});

	test("who has left and comes back joins", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(1000, amelia).hears(6000, amelia);
		assert.deepEqual(browser.hears(9000, amelia, daniel).news, ["Daniel left", "Daniel joined"]);
	});
});

describe("after a gap longer than the active window", () => {
	const later = 10 * MINUTE;
	const ameliaAgain = viewer("amelia", { entered_at: "2026-11-22T10:10:00+00:00" });

	test("the roster is a first one again: no news, and nobody drawn who is not on it", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(later, ameliaAgain, priya);
		assert.deepEqual(browser.news, []);
		assert.deepEqual(browser.visible, ["Priya"]);
	});

	test("who was known before and comes back one by one is no news", () => {
		const browser = new Browser().hears(0, amelia, daniel, priya).hears(later, ameliaAgain);
		browser.hears(later + 10_000, ameliaAgain, daniel).hears(later + 40_000, ameliaAgain, daniel, priya);
		assert.deepEqual(browser.news, []);
		assert.deepEqual(browser.visible, ["Daniel", "Priya"]);
	});

	test("who comes back after the recovery joins", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(later, ameliaAgain);
		browser.hears(later + 30_000, ameliaAgain).hears(later + 61_000, ameliaAgain, daniel);
		assert.deepEqual(browser.news, ["Daniel joined"]);
	});

	test("who was not known before joins during the recovery too", () => {
		const browser = new Browser()
			.hears(0, amelia)
			.hears(later, ameliaAgain)
			.hears(later + 5000, ameliaAgain, daniel);
		assert.deepEqual(browser.news, ["Daniel joined"]);
	});

	test("an empty roster is not to be relied upon until the recovery is over", () => {
		const browser = new Browser().hears(0, amelia, daniel);
		assert.equal(isSettled(browser.roster), true);
		assert.equal(isSettled(browser.hears(later, ameliaAgain).roster), false);
		assert.equal(isSettled(browser.hears(later + 59_999, ameliaAgain).roster), false);
		assert.equal(isSettled(browser.hears(later + 60_000, ameliaAgain).roster), true);
	});

	test("with a short heartbeat the recovery outlasts what a 503 asks to wait", () => {
		const browser = new Browser(1000, 8000).hears(0, amelia, daniel).hears(9000, ameliaAgain);
		browser.hears(10_000, ameliaAgain).hears(15_500, ameliaAgain, daniel);
		assert.deepEqual(browser.news, []);
	});

	test("nor has anybody left whose last beat ran out in a gap just inside the window", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(100_000, amelia).hears(106_000, amelia);
		assert.deepEqual(browser.visible, ["Daniel"]);
		assert.deepEqual(browser.hears(130_000, amelia, daniel).news, []);
	});

	test("a gap inside the window changes nothing", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(2 * MINUTE, amelia, daniel, priya);
		assert.deepEqual(browser.news, ["Priya joined"]);
	});
});

describe("after the server has lost its table", () => {
	const ameliaAgain = viewer("amelia", { entered_at: "2026-11-22T10:01:00+00:00" });

	test("the others stay drawn until they have had time to beat again", () => {
		const browser = new Browser().hears(0, amelia, daniel, priya).hears(30_000, ameliaAgain);
		browser.hears(36_000, ameliaAgain).hears(45_000, ameliaAgain, daniel);
		assert.deepEqual(browser.visible, ["Daniel", "Priya"]);
		assert.deepEqual(browser.news, []);
	});

	test("they do so too where a stream tells of the empty table before our own beat is in it", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(30_000);
		assert.equal(isSettled(browser.roster), false);
		browser.hears(35_000).hears(36_000, ameliaAgain).hears(45_000, ameliaAgain, daniel);
		assert.deepEqual(browser.visible, ["Daniel"]);
		assert.deepEqual(browser.news, []);
	});

	test("and where it tells of the others first", () => {
		const danielAgain = viewer("daniel", { entered_at: "2026-11-22T10:01:00+00:00" });
		const browser = new Browser().hears(0, amelia, daniel, priya).hears(30_000, danielAgain);
		browser.hears(36_000, ameliaAgain, danielAgain);
		assert.deepEqual(browser.visible, ["Priya", "Daniel"]);
		assert.deepEqual(browser.hears(45_000, ameliaAgain, danielAgain, priya).news, []);
	});

	test("who has not come back by then has left", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(30_000, ameliaAgain);
		browser.hears(60_000, ameliaAgain).hears(90_000, ameliaAgain);
		assert.deepEqual(browser.news, ["Daniel left"]);
	});

	test("but where others are as they were it has only taken us off, and who is missing has left", () => {
		const browser = new Browser().hears(0, amelia, daniel, priya).hears(30_000, ameliaAgain, daniel);
		assert.equal(isSettled(browser.roster), true);
		assert.deepEqual(browser.hears(35_000, ameliaAgain, daniel).news, ["Priya left"]);
	});

	test("somebody new is news all the same", () => {
		const browser = new Browser().hears(0, amelia, daniel).hears(30_000, ameliaAgain, daniel, priya);
		assert.deepEqual(browser.news, ["Priya joined"]);
	});
});

test("an old state is never changed in place", () => {
	const { roster } = new Browser().hears(0, amelia, daniel);
	const copy = structuredClone(roster);
	syncRoster(roster, [amelia], {
		now: 10 * MINUTE,
		myId: amelia.id,
		heartbeatMs: 30_000,
		activeWindowMs: MINUTE,
	});
	assert.deepEqual(roster, copy);
});

test("away wins over what the hidden tab does", () => {
	assert.equal(stateOf(daniel), "viewing");
	assert.equal(stateOf(viewer("daniel", { activity: "editing" })), "editing");
	assert.equal(stateOf(viewer("daniel", { activity: "editing", visible: false })), "away");
});
