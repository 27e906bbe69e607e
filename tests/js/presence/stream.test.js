import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { STALE_AFTER_MS, Stream } from "../../../static/js/presence/sync/stream.js";
import { Source } from "./source.js";

describe("a stream", () => {
	let opened;
	let received;
	let breaks;
	let stream;

	beforeEach(() => {
		mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
		opened = [];
		received = [];
		breaks = 0;
		stream = new Stream({
			open: () => opened[opened.push(new Source()) - 1],
			handlers: { roster: (data) => received.push(data), "signed-out": () => stream.stop() },
			onBreak: () => breaks++,
			random: () => 0,
		});
		stream.start();
	});
	afterEach(() => mock.timers.reset());

	const now = () => opened.at(-1);

	test("passes its events to the handlers", () => {
		now().sends("roster", { users: [1] });
		assert.deepEqual(received, [{ users: [1] }]);
	});

	test("is opened once, however often it is started", () => {
		stream.start();
		stream.reconnectNow();
		assert.equal(opened.length, 1);
	});

	test("is live from its first event, a ping included, until it has brought none for too long", () => {
		assert.equal(stream.isLive, false);
		now().sends("roster");
		assert.equal(stream.isLive, true);
		mock.timers.tick(STALE_AFTER_MS - 1);
		now().sends("ping");
		mock.timers.tick(STALE_AFTER_MS - 1);
		assert.equal(stream.isLive, true);
		mock.timers.tick(1);
		assert.equal(stream.isLive, false);
	});

	test("that has become stale is reopened at the next start", () => {
		now().sends("roster");
		mock.timers.tick(STALE_AFTER_MS);
		stream.start();
		assert.equal(opened[0].isClosed, true);
		mock.timers.tick(500);
		assert.equal(opened.length, 2);
	});

	test("without any event, as behind a proxy that buffers, is closed when it is stale", () => {
		mock.timers.tick(STALE_AFTER_MS);
		stream.start();
		assert.equal(opened[0].isClosed, true);
		assert.equal(breaks, 1);
	});

	test("that breaks makes the tab beat, and is reopened after growing pauses", () => {
		const pauses = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
		for (const [i, ms] of pauses.entries()) {
			now().breaks();
			assert.equal(breaks, i + 1);
			mock.timers.tick(ms - 1);
			assert.equal(opened.length, i + 1);
			mock.timers.tick(1);
			assert.equal(opened.length, i + 2);
		}
	});

	test("that breaks after a stable time starts with short pauses again", () => {
		for (const ms of [500, 1000, 2000]) {
			now().breaks();
			mock.timers.tick(ms);
		}
		now().sends("roster");
		mock.timers.tick(10_001);
		now().breaks();
		mock.timers.tick(500);
		assert.equal(opened.length, 5);
	});

	test("that the server ends is reopened soon, and the tab does not beat", () => {
		now().sends("end", { reason: "restarting" });
		assert.equal(opened[0].isClosed, true);
		mock.timers.tick(500);
		assert.equal(opened.length, 2);
		assert.equal(breaks, 0);
	});

	test("that the server ends after a stable time is reopened soon, however often", () => {
		for (let times = 1; times <= 8; times++) {
			mock.timers.tick(1_800_000);
			now().sends("end", { reason: "restarting" });
			mock.timers.tick(500);
			assert.equal(opened.length, times + 1);
		}
	});

	test("has a number, and that of the next one from its break on", () => {
		assert.equal(stream.number, 1);
		now().breaks();
		assert.equal(stream.number, 2);
		mock.timers.tick(500);
		assert.equal(stream.number, 2);
	});

	for (const reason of ["replaced", "full"])
		test(`that a newer one has replaced is reopened after a minute ("${reason}")`, () => {
			now().sends("end", { reason });
			stream.start();
			mock.timers.tick(59_999);
			assert.equal(opened.length, 1);
			mock.timers.tick(1);
			assert.equal(opened.length, 2);
		});

	test("is reopened at once when the server has responded", () => {
		now().breaks();
		stream.reconnectNow();
		assert.equal(opened.length, 2);
		mock.timers.tick(60_000);
		assert.equal(opened.length, 2);
	});

	test("that is stopped stays closed and passes no event", () => {
		const [source] = opened;
		stream.stop();
		source.sends("roster");
		source.breaks();
		mock.timers.tick(120_000);
		stream.reconnectNow();
		assert.deepEqual([received, breaks, opened.length, source.isClosed], [[], 0, 1, true]);
	});

	test("may be stopped by a handler", () => {
		now().sends("signed-out");
		mock.timers.tick(120_000);
		assert.deepEqual([opened.length, opened[0].isClosed], [1, true]);
	});
});
