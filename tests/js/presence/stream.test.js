import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { STALE_AFTER_MS, Stream } from "../../../static/js/presence/sync/stream.js";
import { Source } from "./source.js";

describe("a stream", () => {
	let opened;
	let heard;
	let breaks;
	let stream;

	beforeEach(() => {
		mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
		opened = [];
		heard = [];
		breaks = 0;
		stream = new Stream({
			open: () => opened[opened.push(new Source()) - 1],
			handlers: { roster: (data) => heard.push(data), "signed-out": () => stream.stop() },
			onBreak: () => breaks++,
			random: () => 0,
		});
		stream.start();
	});
	afterEach(() => mock.timers.reset());

	const now = () => opened.at(-1);

	test("tells what it hears", () => {
		now().says("roster", { users: [1] });
		assert.deepEqual(heard, [{ users: [1] }]);
	});

	test("is one, however often it is wanted", () => {
		stream.start();
		stream.reconnectNow();
		assert.equal(opened.length, 1);
	});

	test("is live from its first word until it has been silent for too long; a ping is a word", () => {
		assert.equal(stream.isLive, false);
		now().says("roster");
		assert.equal(stream.isLive, true);
		mock.timers.tick(STALE_AFTER_MS - 1);
		now().says("ping");
		mock.timers.tick(STALE_AFTER_MS - 1);
		assert.equal(stream.isLive, true);
		mock.timers.tick(1);
		assert.equal(stream.isLive, false);
	});

	test("that has fallen silent is opened anew at the next beat", () => {
		now().says("roster");
		mock.timers.tick(STALE_AFTER_MS);
		stream.start();
		assert.equal(opened[0].isClosed, true);
		mock.timers.tick(500);
		assert.equal(opened.length, 2);
	});

	test("that never says anything, as behind a proxy that keeps it all, is given up too", () => {
		mock.timers.tick(STALE_AFTER_MS);
		stream.start();
		assert.equal(opened[0].isClosed, true);
		assert.equal(breaks, 1);
	});

	test("that breaks lets the tab beat, and is opened again after growing pauses", () => {
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

	test("that had worked for a while begins with short pauses again", () => {
		for (const ms of [500, 1000, 2000]) {
			now().breaks();
			mock.timers.tick(ms);
		}
		now().says("roster");
		mock.timers.tick(10_001);
		now().breaks();
		mock.timers.tick(500);
		assert.equal(opened.length, 5);
	});

	test("that the server ends is opened again soon, and nobody beats for that", () => {
		now().says("end", { reason: "moving" });
		assert.equal(opened[0].isClosed, true);
		mock.timers.tick(500);
		assert.equal(opened.length, 2);
		assert.equal(breaks, 0);
	});

	test("that the server ends after it has worked is opened again soon, however often", () => {
		for (let times = 1; times <= 8; times++) {
			mock.timers.tick(1_800_000);
			now().says("end", { reason: "moving" });
			mock.timers.tick(500);
			assert.equal(opened.length, times + 1);
		}
	});

	test("has a number, and from when it breaks that of the next", () => {
		assert.equal(stream.number, 1);
		now().breaks();
		assert.equal(stream.number, 2);
		mock.timers.tick(500);
		assert.equal(stream.number, 2);
	});

	test("that gave way to a newer one waits for a minute", () => {
		now().says("end", { reason: "full" });
		stream.start();
		mock.timers.tick(59_999);
		assert.equal(opened.length, 1);
		mock.timers.tick(1);
		assert.equal(opened.length, 2);
	});

	test("does not wait out a pause when the portal is known to be back", () => {
		now().breaks();
		stream.reconnectNow();
		assert.equal(opened.length, 2);
		mock.timers.tick(60_000);
		assert.equal(opened.length, 2);
	});

	test("stopped, it stays closed and hears nothing", () => {
		const [source] = opened;
		stream.stop();
		source.says("roster");
		source.breaks();
		mock.timers.tick(120_000);
		stream.reconnectNow();
		assert.deepEqual([heard, breaks, opened.length, source.isClosed], [[], 0, 1, true]);
	});

	test("may be stopped by what it says", () => {
		now().says("signed-out");
		mock.timers.tick(120_000);
		assert.deepEqual([opened.length, opened[0].isClosed], [1, true]);
	});
});
