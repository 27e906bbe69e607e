import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { Heartbeat } from "../../../static/js/presence/sync/heartbeat.js";

/** A heartbeat, and a record of its requests and responses; the test responses them. */
class Recorder {
	sent = [];
	responses = [];
	failures = [];
	heartbeat = new Heartbeat({
		send: (signal) => {
			const beat = { signal, ...Promise.withResolvers() };
			this.sent.push(beat);
			return beat.promise;
		},
		onResponse: (response) => this.responses.push(response),
		onFailure: (error) => this.failures.push(error),
		random: () => 0,
	});

	async respond(response = "here") {
		this.sent.at(-1).resolve(response);
		await settled();
	}

	async fail(error = {}) {
		this.sent.at(-1).reject(error);
		await settled();
	}
}

Promise.withResolvers ??= () => {
	const beat = {};
	beat.promise = new Promise((resolve, reject) => Object.assign(beat, { resolve, reject }));
	return beat;
};

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a heartbeat", () => {
	/** @type {Recorder} */
	let recorder;

	beforeEach(() => {
		mock.timers.enable({ apis: ["setTimeout", "Date"] });
		recorder = new Recorder();
		recorder.heartbeat.start();
	});
	afterEach(() => mock.timers.reset());

	test("is sent at the start, and after each interval", async () => {
		assert.equal(recorder.sent.length, 1);
		await recorder.respond();
		mock.timers.tick(29_999);
		assert.equal(recorder.sent.length, 1);
		mock.timers.tick(1);
		assert.equal(recorder.sent.length, 2);
	});

	test("uses an interval that the server has changed from the next request on", async () => {
		recorder.heartbeat.heartbeatMs = 10_000;
		await recorder.respond();
		mock.timers.tick(10_000);
		assert.equal(recorder.sent.length, 2);
	});

	test("requested during another one follows it, so that the newest state arrives last", async () => {
		recorder.heartbeat.beat();
		recorder.heartbeat.beat();
		mock.timers.tick(60_000);
		assert.equal(recorder.sent.length, 1);
		await recorder.respond();
		mock.timers.tick(0);
		assert.equal(recorder.sent.length, 2);
		await recorder.respond();
		mock.timers.tick(1000);
		assert.equal(recorder.sent.length, 2);
	});

	test("is sent once for a burst of requests", async () => {
		await recorder.respond();
		for (let i = 0; i < 5; i++) {
			recorder.heartbeat.beatSoon();
			mock.timers.tick(100);
		}
		assert.equal(recorder.sent.length, 1);
		mock.timers.tick(150);
		assert.equal(recorder.sent.length, 2);
	});

	test("is sent at least every second during an endless burst", async () => {
		await recorder.respond();
		for (let i = 0; i < 11; i++) {
			recorder.heartbeat.beatSoon();
			mock.timers.tick(100);
		}
		assert.equal(recorder.sent.length, 2);
	});

	test("sent on request starts the interval again", async () => {
		await recorder.respond();
		mock.timers.tick(20_000);
		recorder.heartbeat.beat();
		await recorder.respond();
		mock.timers.tick(29_999);
		assert.equal(recorder.sent.length, 2);
		mock.timers.tick(1);
		assert.equal(recorder.sent.length, 3);
	});

	test("is retried with growing delays until a response arrives", async () => {
		await recorder.fail();
		mock.timers.tick(500);
		await recorder.fail();
		mock.timers.tick(999);
		assert.equal(recorder.sent.length, 2);
		mock.timers.tick(1);
		assert.equal(recorder.sent.length, 3);
		await recorder.respond();
		mock.timers.tick(30_000);
		await recorder.fail();
		mock.timers.tick(500);
		assert.equal(recorder.sent.length, 5);
	});

	test("is retried no earlier than the server asks", async () => {
		await recorder.fail({ waitMs: 5000 });
		mock.timers.tick(4999);
		assert.equal(recorder.sent.length, 1);
		mock.timers.tick(1);
		assert.equal(recorder.sent.length, 2);
	});

	test("that is stopped aborts its request and ignores the response", async () => {
		recorder.heartbeat.stop();
		assert.ok(recorder.sent[0].signal.aborted);
		await recorder.respond();
		recorder.heartbeat.beat();
		recorder.heartbeat.beatSoon();
		mock.timers.tick(60_000);
		assert.deepEqual(
			[recorder.responses.length, recorder.sent.length, recorder.heartbeat.isRunning],
			[0, 1, false],
		);
	});

	test("that is restarted ignores the response to an earlier request", async () => {
		const [old] = recorder.sent;
		recorder.heartbeat.start();
		old.resolve("old");
		await settled();
		assert.deepEqual(recorder.responses, []);
		await recorder.respond("new");
		assert.deepEqual(recorder.responses, ["new"]);
	});

	test("may be stopped by its failure callback", async () => {
		const { heartbeat } = recorder;
		recorder.failures.push = () => heartbeat.stop();
		await recorder.fail({ status: 401 });
		mock.timers.tick(60_000);
		assert.equal(recorder.sent.length, 1);
	});
});
