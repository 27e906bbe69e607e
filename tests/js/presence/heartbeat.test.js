import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { Heartbeat } from "../../../static/js/presence/sync/heartbeat.js";

/** A heart whose beats the test answers, and the notes of what it did. */
class Patient {
	sent = [];
	answers = [];
	failures = [];
	heart = new Heartbeat({
		send: (signal) => {
			const beat = { signal, ...Promise.withResolvers() };
			this.sent.push(beat);
			return beat.promise;
		},
		onResponse: (answer) => this.answers.push(answer),
		onFailure: (error) => this.failures.push(error),
		random: () => 0,
	});

	async answer(answer = "here") {
		this.sent.at(-1).resolve(answer);
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

describe("a heart", () => {
	/** @type {Patient} */
	let patient;

	beforeEach(() => {
		mock.timers.enable({ apis: ["setTimeout", "Date"] });
		patient = new Patient();
		patient.heart.start();
	});
	afterEach(() => mock.timers.reset());

	test("beats at once, then every heartbeat", async () => {
		assert.equal(patient.sent.length, 1);
		await patient.answer();
		mock.timers.tick(29_999);
		assert.equal(patient.sent.length, 1);
		mock.timers.tick(1);
		assert.equal(patient.sent.length, 2);
	});

	test("takes the server's interval for the next beat", async () => {
		patient.heart.heartbeatMs = 10_000;
		await patient.answer();
		mock.timers.tick(10_000);
		assert.equal(patient.sent.length, 2);
	});

	test("never beats twice at a time, and follows with the newest state", async () => {
		patient.heart.beat();
		patient.heart.beat();
		mock.timers.tick(60_000);
		assert.equal(patient.sent.length, 1);
		await patient.answer();
		mock.timers.tick(0);
		assert.equal(patient.sent.length, 2);
		await patient.answer();
		mock.timers.tick(1000);
		assert.equal(patient.sent.length, 2);
	});

	test("makes one beat of a burst", async () => {
		await patient.answer();
		for (let i = 0; i < 5; i++) {
			patient.heart.beatSoon();
			mock.timers.tick(100);
		}
		assert.equal(patient.sent.length, 1);
		mock.timers.tick(50);
		assert.equal(patient.sent.length, 2);
	});

	test("does not let an endless burst starve it", async () => {
		await patient.answer();
		for (let i = 0; i < 11; i++) {
			patient.heart.beatSoon();
			mock.timers.tick(100);
		}
		assert.equal(patient.sent.length, 2);
	});

	test("a beat out of turn starts the interval anew", async () => {
		await patient.answer();
		mock.timers.tick(20_000);
		patient.heart.beat();
		await patient.answer();
		mock.timers.tick(29_999);
		assert.equal(patient.sent.length, 2);
		mock.timers.tick(1);
		assert.equal(patient.sent.length, 3);
	});

	test("backs off through an outage and recovers", async () => {
		await patient.fail();
		mock.timers.tick(500);
		await patient.fail();
		mock.timers.tick(999);
		assert.equal(patient.sent.length, 2);
		mock.timers.tick(1);
		assert.equal(patient.sent.length, 3);
		await patient.answer();
		mock.timers.tick(30_000);
		await patient.fail();
		mock.timers.tick(500);
		assert.equal(patient.sent.length, 5);
	});

	test("waits as long as the server asks", async () => {
		await patient.fail({ waitMs: 5000 });
		mock.timers.tick(4999);
		assert.equal(patient.sent.length, 1);
		mock.timers.tick(1);
		assert.equal(patient.sent.length, 2);
	});

	test("stopped, it takes back its beat and hears no answer", async () => {
		patient.heart.stop();
		assert.ok(patient.sent[0].signal.aborted);
		await patient.answer();
		patient.heart.beat();
		patient.heart.beatSoon();
		mock.timers.tick(60_000);
		assert.deepEqual([patient.answers.length, patient.sent.length, patient.heart.isRunning], [0, 1, false]);
	});

	test("started anew, it does not mistake an old answer for its own", async () => {
		const [old] = patient.sent;
		patient.heart.start();
		old.resolve("old");
		await settled();
		assert.deepEqual(patient.answers, []);
		await patient.answer("new");
		assert.deepEqual(patient.answers, ["new"]);
	});

	test("may be stopped by what a failure means", async () => {
		const { heart } = patient;
		patient.failures.push = () => heart.stop();
		await patient.fail({ status: 401 });
		mock.timers.tick(60_000);
		assert.equal(patient.sent.length, 1);
	});
});
