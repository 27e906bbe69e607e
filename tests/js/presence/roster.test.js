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

/** Amelia's browser: takes rosters at given times (ms) and records the joins and leaves. */
class Browser {
	roster = UNKNOWN;
	news = [];

	constructor(heartbeatMs = 30_000, activeWindowMs = 2 * MINUTE) {
		this.timings = { heartbeatMs, activeWindowMs };
	}

	receives(now, ...users) {
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

describe("a roster", () => {
	test("does not show the user of the page", () => {
		assert.deepEqual(new Browser().receives(0, amelia, daniel).visible, ["Daniel"]);
	});

	test("announces no join of users who were there before", () => {
		assert.deepEqual(new Browser().receives(0, amelia, daniel, priya).news, []);
	});

	test("announces a join once", () => {
		const browser = new Browser()
			.receives(0, amelia)
			.receives(1000, amelia, daniel)
			.receives(2000, amelia, daniel);
		assert.deepEqual(browser.news, ["Daniel joined"]);
	});

	test("shows the newest activity of a viewer", () => {
		const editing = viewer("daniel", { activity: "editing", fields: ["Phone"] });
		const browser = new Browser().receives(0, amelia, daniel).receives(1000, amelia, editing);
		assert.deepEqual(visibleViewers(browser.roster), [editing]);
	});

	test("shows users in the order of entering, whatever the server's order", () => {
		const latecomer = viewer("priya", { entered_at: "2026-11-22T10:30:00+00:00" });
		assert.deepEqual(new Browser().receives(0, latecomer, daniel, amelia).visible, ["Daniel", "Priya"]);
		assert.deepEqual(new Browser().receives(0, amelia, daniel, latecomer).visible, ["Daniel", "Priya"]);
	});

	test("may lack the user of the page, as before the first heartbeat", () => {
		assert.deepEqual(new Browser().receives(0, daniel).visible, ["Daniel"]);
	});
});

describe("a user who vanishes", () => {
	test("stays visible, in place", () => {
		const browser = new Browser().receives(0, amelia, daniel, priya).receives(1000, amelia, priya);
		assert.deepEqual(browser.visible, ["Daniel", "Priya"]);
		assert.deepEqual(browser.news, []);
	});

	test("sets the time of the next check", () => {
		const browser = new Browser().receives(0, amelia, daniel);
		assert.equal(checkAt(browser.roster), Number.POSITIVE_INFINITY);
		browser.receives(1000, amelia);
		assert.equal(checkAt(browser.roster), 1000 + LEAVE_GRACE_MS);
	});

	test("is not kept longer by a response within the grace time", () => {
		const browser = new Browser().receives(0, amelia, daniel).receives(1000, amelia).receives(4000, amelia);
		assert.equal(checkAt(browser.roster), 1000 + LEAVE_GRACE_MS);
		assert.deepEqual(browser.news, []);
	});

	test("has left if still missing after the grace time", () => {
		const browser = new Browser().receives(0, amelia, daniel).receives(1000, amelia).receives(6000, amelia);
		assert.deepEqual(browser.news, ["Daniel left"]);
		assert.deepEqual(browser.visible, []);
	});

	test("and returns within the grace time causes no announcement", () => {
		const browser = new Browser()
			.receives(0, amelia, daniel)
			.receives(1000, amelia)
			.receives(5999, amelia, daniel);
		assert.deepEqual(browser.news, []);
		assert.deepEqual(browser.visible, ["Daniel"]);
	});

	test("and returns later causes none if no later response missed the user", () => {
		const browser = new Browser()
			.receives(0, amelia, daniel)
			.receives(1000, amelia)
			.receives(31_000, amelia, daniel);
		assert.deepEqual(browser.news, []);
	});

	test("and has left joins when returning", () => {
		const browser = new Browser().receives(0, amelia, daniel).receives(1000, amelia).receives(6000, amelia);
		assert.deepEqual(browser.receives(9000, amelia, daniel).news, ["Daniel left", "Daniel joined"]);
	});
});

describe("after a gap longer than the active window", () => {
	const later = 10 * MINUTE;
	const ameliaAgain = viewer("amelia", { entered_at: "2026-11-22T10:10:00+00:00" });

	test("a roster counts as the first one: no announcement, and no missing user is shown", () => {
		const browser = new Browser().receives(0, amelia, daniel).receives(later, ameliaAgain, priya);
		assert.deepEqual(browser.news, []);
		assert.deepEqual(browser.visible, ["Priya"]);
	});

	test("the return of known users causes no announcement", () => {
		const browser = new Browser().receives(0, amelia, daniel, priya).receives(later, ameliaAgain);
		browser
			.receives(later + 10_000, ameliaAgain, daniel)
			.receives(later + 40_000, ameliaAgain, daniel, priya);
		assert.deepEqual(browser.news, []);
		assert.deepEqual(browser.visible, ["Daniel", "Priya"]);
	});

	test("a known user who returns after the recovery time joins", () => {
		const browser = new Browser().receives(0, amelia, daniel).receives(later, ameliaAgain);
		browser.receives(later + 30_000, ameliaAgain).receives(later + 61_000, ameliaAgain, daniel);
		assert.deepEqual(browser.news, ["Daniel joined"]);
	});

	test("an unknown user joins during the recovery time too", () => {
		const browser = new Browser()
			.receives(0, amelia)
			.receives(later, ameliaAgain)
			.receives(later + 5000, ameliaAgain, daniel);
		assert.deepEqual(browser.news, ["Daniel joined"]);
	});

	test("an empty roster is not settled until the recovery time is over", () => {
		const browser = new Browser().receives(0, amelia, daniel);
		assert.equal(isSettled(browser.roster), true);
		assert.equal(isSettled(browser.receives(later, ameliaAgain).roster), false);
		assert.equal(isSettled(browser.receives(later + 59_999, ameliaAgain).roster), false);
		assert.equal(isSettled(browser.receives(later + 60_000, ameliaAgain).roster), true);
	});

	test("the recovery time outlasts the wait after a 503 even with a short heartbeat", () => {
		const browser = new Browser(1000, 8000).receives(0, amelia, daniel).receives(9000, ameliaAgain);
		browser.receives(10_000, ameliaAgain).receives(15_500, ameliaAgain, daniel);
		assert.deepEqual(browser.news, []);
	});

	test("a user who expired in a slightly shorter gap has not left", () => {
		const browser = new Browser()
			.receives(0, amelia, daniel)
			.receives(100_000, amelia)
			.receives(106_000, amelia);
		assert.deepEqual(browser.visible, ["Daniel"]);
		assert.deepEqual(browser.receives(130_000, amelia, daniel).news, []);
	});

	test("a shorter gap changes nothing", () => {
		const browser = new Browser().receives(0, amelia, daniel).receives(2 * MINUTE, amelia, daniel, priya);
		assert.deepEqual(browser.news, ["Priya joined"]);
	});
});

describe("after the server has lost its table", () => {
	const ameliaAgain = viewer("amelia", { entered_at: "2026-11-22T10:01:00+00:00" });

	test("the others stay visible until they have had time to beat again", () => {
		const browser = new Browser().receives(0, amelia, daniel, priya).receives(30_000, ameliaAgain);
		browser.receives(36_000, ameliaAgain).receives(45_000, ameliaAgain, daniel);
		assert.deepEqual(browser.visible, ["Daniel", "Priya"]);
		assert.deepEqual(browser.news, []);
	});

	test("the others stay visible if the stream brings the empty table before the user's own heartbeat", () => {
		const browser = new Browser().receives(0, amelia, daniel).receives(30_000);
		assert.equal(isSettled(browser.roster), false);
		browser.receives(35_000).receives(36_000, ameliaAgain).receives(45_000, ameliaAgain, daniel);
		assert.deepEqual(browser.visible, ["Daniel"]);
		assert.deepEqual(browser.news, []);
	});

	test("the others stay visible if the stream brings another user first", () => {
		const danielAgain = viewer("daniel", { entered_at: "2026-11-22T10:01:00+00:00" });
		const browser = new Browser().receives(0, amelia, daniel, priya).receives(30_000, danielAgain);
		browser.receives(36_000, ameliaAgain, danielAgain);
		assert.deepEqual(browser.visible, ["Priya", "Daniel"]);
		assert.deepEqual(browser.receives(45_000, ameliaAgain, danielAgain, priya).news, []);
	});

	test("a user who has not returned after the recovery time has left", () => {
		const browser = new Browser().receives(0, amelia, daniel).receives(30_000, ameliaAgain);
		browser.receives(60_000, ameliaAgain).receives(90_000, ameliaAgain);
		assert.deepEqual(browser.news, ["Daniel left"]);
	});

	test("a missing user has left if others are as before, because only this user had expired", () => {
		const browser = new Browser().receives(0, amelia, daniel, priya).receives(30_000, ameliaAgain, daniel);
		assert.equal(isSettled(browser.roster), true);
		assert.deepEqual(browser.receives(35_000, ameliaAgain, daniel).news, ["Priya left"]);
	});

	test("a new user is announced all the same", () => {
		const browser = new Browser().receives(0, amelia, daniel).receives(30_000, ameliaAgain, daniel, priya);
		assert.deepEqual(browser.news, ["Priya joined"]);
	});
});

test("a roster is never changed in place", () => {
	const { roster } = new Browser().receives(0, amelia, daniel);
	const copy = structuredClone(roster);
	syncRoster(roster, [amelia], {
		now: 10 * MINUTE,
		myId: amelia.id,
		heartbeatMs: 30_000,
		activeWindowMs: MINUTE,
	});
	assert.deepEqual(roster, copy);
});

test("a user whose tabs are hidden is away, unless they edit or wait", () => {
	const waiting_since = "2026-11-22T10:42:00+00:00";
	assert.equal(stateOf(daniel), "viewing");
	assert.equal(stateOf(viewer("daniel", { visible: false })), "away");
	assert.equal(stateOf(viewer("daniel", { waiting_since, visible: false })), "waiting");
	assert.equal(stateOf(viewer("daniel", { activity: "editing", waiting_since, visible: false })), "editing");
});
