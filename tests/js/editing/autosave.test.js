import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { Autosave } from "../../../static/js/editing/drafts/autosave.js";

/** A form of one field and a server that the test answers for; the notes of what was sent and shown. */
class Desk {
	typed = null;
	sent = [];
	states = [];
	autosave = new Autosave(
		{
			read: () => this.typed,
			send: (draft) => {
				const call = { draft };
				call.promise = new Promise((resolve, reject) => Object.assign(call, { resolve, reject }));
				this.sent.push(call);
				return call.promise;
			},
			onState: (state) => this.states.push(state),
			random: () => 0,
		},
		null,
	);

	type(text) {
		this.typed = text ? { text } : null;
		this.autosave.changed();
	}

	async answer() {
		this.sent.at(-1).resolve();
		await settled();
	}

	async fail(status, waitMs = 0) {
		this.sent.at(-1).reject({ status, waitMs });
		await settled();
	}

	get texts() {
		return this.sent.map(({ draft }) => draft?.text ?? null);
	}
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a draft", () => {
	/** @type {Desk} */
	let desk;

	beforeEach(() => {
		mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
		desk = new Desk();
	});
	afterEach(() => mock.timers.reset());

	/** Typed, sent and answered. */
	async function kept(text) {
		desk.type(text);
		mock.timers.tick(1000);
		await desk.answer();
	}

	test("is sent a second after the last key", async () => {
		desk.type("a");
		mock.timers.tick(900);
		desk.type("ab");
		mock.timers.tick(999);
		assert.deepEqual(desk.texts, []);
		mock.timers.tick(1);
		assert.deepEqual(desk.texts, ["ab"]);
		assert.ok(!desk.autosave.isKept);
		await desk.answer();
		assert.ok(desk.autosave.isKept);
		assert.deepEqual(desk.states, ["kept"]);
	});

	test("is sent every four seconds while typing goes on", async () => {
		for (let ms = 0; ms <= 8500; ms += 500) {
			desk.type(`a${ms}`);
			mock.timers.tick(500);
			if (desk.sent.length) await desk.answer();
		}
		assert.deepEqual(desk.texts, ["a3500", "a7500"]);
	});

	test("waits for the one under way and then sends the newest", async () => {
		desk.type("a");
		mock.timers.tick(1000);
		desk.type("ab");
		mock.timers.tick(1000);
		desk.type("abc");
		mock.timers.tick(1000);
		assert.deepEqual(desk.texts, ["a"]);
		await desk.answer();
		mock.timers.tick(1000);
		assert.deepEqual(desk.texts, ["a", "abc"]);
	});

	test("is discarded when everything has been changed back", async () => {
		await kept("a");
		desk.type("");
		mock.timers.tick(1000);
		await desk.answer();
		assert.deepEqual(desk.texts, ["a", null]);
		assert.deepEqual(desk.states, ["kept", "idle", "idle"]);
	});

	test("is not called kept from the next key on", async () => {
		await kept("a");
		desk.type("ab");
		assert.equal(desk.states.at(-1), "idle");
		desk.type("a");
		assert.equal(desk.states.at(-1), "kept");
		mock.timers.tick(60_000);
		assert.equal(desk.sent.length, 1);
	});

	test("that was changed back before it was sent is not sent", () => {
		desk.type("a");
		desk.type("");
		mock.timers.tick(60_000);
		assert.deepEqual(desk.texts, []);
	});

	for (const status of [0, 500, 503, 429]) {
		test(`is tried again after ${status || "no answer"}, with what is typed by then`, async () => {
			desk.type("a");
			mock.timers.tick(1000);
			await desk.fail(status);
			desk.type("ab");
			mock.timers.tick(499);
			assert.deepEqual(desk.texts, ["a"]);
			mock.timers.tick(1);
			await settled();
			assert.deepEqual(desk.texts, ["a", "ab"]);
			await desk.fail(status);
			mock.timers.tick(999);
			assert.equal(desk.sent.length, 2);
			mock.timers.tick(1);
			await settled();
			await desk.answer();
			assert.deepEqual(desk.states, ["trying", "trying", "kept"]);
			assert.ok(desk.autosave.isReaching);
		});
	}

	test("waits as long as the server asks", async () => {
		desk.type("a");
		mock.timers.tick(1000);
		await desk.fail(503, 5000);
		mock.timers.tick(4999);
		assert.equal(desk.sent.length, 1);
		mock.timers.tick(1);
		await settled();
		assert.equal(desk.sent.length, 2);
	});

	test("that is refused is tried again only once it is another", async () => {
		desk.type("a");
		mock.timers.tick(1000);
		await desk.fail(422);
		desk.autosave.changed();
		mock.timers.tick(60_000);
		assert.deepEqual(desk.texts, ["a"]);
		assert.ok(!desk.autosave.isReaching);
		await kept("ab");
		assert.deepEqual(desk.states, ["refused", "kept"]);
	});

	test("stops while signed out and goes on after signing in again", async () => {
		desk.type("a");
		mock.timers.tick(1000);
		await desk.fail(401);
		desk.type("ab");
		desk.autosave.flushNow();
		desk.autosave.tryAgain();
		mock.timers.tick(60_000);
		assert.deepEqual(desk.texts, ["a"]);
		desk.autosave.resume();
		await settled();
		await desk.answer();
		assert.deepEqual(desk.texts, ["a", "ab"]);
		assert.deepEqual(desk.states, ["signed-out", "idle", "kept"]);
	});

	test("waits where the session is known to have ended", async () => {
		desk.type("a");
		desk.autosave.pause();
		desk.type("ab");
		mock.timers.tick(60_000);
		assert.deepEqual(desk.texts, []);
		assert.ok(!desk.autosave.isReaching);
		desk.autosave.resume();
		await settled();
		assert.deepEqual(desk.texts, ["ab"]);
	});

	test("goes on after a sign-in that found nothing to send", async () => {
		desk.autosave.pause();
		desk.autosave.resume();
		await settled();
		await kept("a");
		assert.deepEqual(desk.texts, ["a"]);
	});

	test("is tried at once where the server may be reached again", async () => {
		desk.type("a");
		mock.timers.tick(1000);
		await desk.fail(503, 60_000);
		desk.autosave.tryAgain();
		await settled();
		assert.equal(desk.sent.length, 2);
	});

	test("is not tried again where nothing has failed", async () => {
		await kept("a");
		desk.autosave.tryAgain();
		desk.autosave.resume();
		await settled();
		assert.equal(desk.sent.length, 1);
	});

	test("goes at once when the page goes, though one is under way", async () => {
		desk.type("a");
		mock.timers.tick(1000);
		desk.typed = { text: "ab" };
		desk.autosave.flushNow();
		desk.autosave.flushNow();
		assert.deepEqual(desk.texts, ["a", "ab"]);
	});

	test("that is under way as it stands is not sent twice when the page goes", () => {
		desk.type("a");
		mock.timers.tick(1000);
		desk.autosave.flushNow();
		assert.deepEqual(desk.texts, ["a"]);
	});

	test("that arrives late behind a newer one is followed by the newer one again", async () => {
		desk.type("a");
		mock.timers.tick(1000);
		desk.typed = { text: "ab" };
		desk.autosave.flushNow();
		desk.sent[1].resolve();
		await settled();
		desk.sent[0].resolve();
		await settled();
		mock.timers.tick(1000);
		await settled();
		assert.deepEqual(desk.texts, ["a", "ab", "ab"]);
	});

	test("is flushed after the one under way", async () => {
		desk.type("a");
		mock.timers.tick(1000);
		desk.typed = { text: "ab" };
		let isFlushed = false;
		desk.autosave.flush().then(() => {
			isFlushed = true;
		});
		await desk.answer();
		assert.deepEqual(desk.texts, ["a", "ab"]);
		assert.ok(!isFlushed);
		await desk.answer();
		assert.ok(isFlushed);
	});

	test("that is kept is flushed without a call, unless the server is to be tried", async () => {
		await kept("a");
		await desk.autosave.flush();
		assert.equal(desk.sent.length, 1);
		desk.autosave.flush({ always: true });
		await settled();
		assert.equal(desk.sent.length, 2);
	});

	test("whose flush fails says so", async () => {
		desk.type("a");
		const flushed = assert.rejects(desk.autosave.flush(), { status: 503 });
		await settled();
		await desk.fail(503);
		await flushed;
	});

	test("is not sent any more once the form is, not even again", async () => {
		desk.type("a");
		mock.timers.tick(1000);
		desk.autosave.stop();
		await desk.fail(503);
		desk.type("ab");
		desk.autosave.flushNow();
		desk.autosave.tryAgain();
		mock.timers.tick(60_000);
		assert.deepEqual(desk.texts, ["a"]);
	});

	test("goes on where the form was sent in vain", async () => {
		desk.type("a");
		desk.autosave.stop();
		desk.autosave.start();
		mock.timers.tick(1000);
		assert.deepEqual(desk.texts, ["a"]);
	});
});
