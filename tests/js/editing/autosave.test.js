import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { Autosave } from "../../../static/js/editing/drafts/autosave.js";

/** A form of one field, a server for which the test answers, and a record of requests and states. */
class Form {
	typed = null;
	sent = [];
	states = [];
	isShared = false;
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
			isShared: () => this.isShared,
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
	/** @type {Form} */
	let form;

	beforeEach(() => {
		mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
		form = new Form();
	});
	afterEach(() => mock.timers.reset());

	/** Type a text, and answer its request. */
	async function kept(text) {
		form.type(text);
		mock.timers.tick(1000);
		await form.answer();
	}

	test("is sent every 300 ms while other users edit the page, also if the user goes on typing", async () => {
		form.isShared = true;
		for (const text of ["a", "ab", "abc"]) {
			form.type(text);
			mock.timers.tick(140);
		}
		assert.deepEqual(form.texts, ["abc"]);
		await form.answer();
		form.type("abcd");
		mock.timers.tick(299);
		assert.equal(form.texts.length, 1);
		mock.timers.tick(1);
		assert.deepEqual(form.texts, ["abc", "abcd"]);
	});

	test("is sent a second after the last key", async () => {
		form.type("a");
		mock.timers.tick(900);
		form.type("ab");
		mock.timers.tick(999);
		assert.deepEqual(form.texts, []);
		mock.timers.tick(1);
		assert.deepEqual(form.texts, ["ab"]);
		assert.ok(!form.autosave.isKept);
		await form.answer();
		assert.ok(form.autosave.isKept);
		assert.deepEqual(form.states, ["kept"]);
	});

	test("is sent every four seconds while typing goes on", async () => {
		for (let ms = 0; ms <= 8500; ms += 500) {
			form.type(`a${ms}`);
			mock.timers.tick(500);
			if (form.sent.length) await form.answer();
		}
		assert.deepEqual(form.texts, ["a3500", "a7500"]);
	});

	test("waits for a pending request, and then the newest text is sent", async () => {
		form.type("a");
		mock.timers.tick(1000);
		form.type("ab");
		mock.timers.tick(1000);
		form.type("abc");
		mock.timers.tick(1000);
		assert.deepEqual(form.texts, ["a"]);
		await form.answer();
		mock.timers.tick(1000);
		assert.deepEqual(form.texts, ["a", "abc"]);
	});

	test("is discarded when the user has changed everything back", async () => {
		await kept("a");
		form.type("");
		mock.timers.tick(1000);
		await form.answer();
		assert.deepEqual(form.texts, ["a", null]);
		assert.deepEqual(form.states, ["kept", "idle", "idle"]);
	});

	test("is not shown as kept from the next key on", async () => {
		await kept("a");
		form.type("ab");
		assert.equal(form.states.at(-1), "idle");
		form.type("a");
		assert.equal(form.states.at(-1), "kept");
		mock.timers.tick(60_000);
		assert.equal(form.sent.length, 1);
	});

	test("that was changed back before it was sent is not sent", () => {
		form.type("a");
		form.type("");
		mock.timers.tick(60_000);
		assert.deepEqual(form.texts, []);
	});

	for (const status of [0, 500, 503, 429]) {
		test(`is sent again after ${status || "no response"}, with what is typed by then`, async () => {
			form.type("a");
			mock.timers.tick(1000);
			await form.fail(status);
			form.type("ab");
			mock.timers.tick(499);
			assert.deepEqual(form.texts, ["a"]);
			mock.timers.tick(1);
			await settled();
			assert.deepEqual(form.texts, ["a", "ab"]);
			await form.fail(status);
			mock.timers.tick(999);
			assert.equal(form.sent.length, 2);
			mock.timers.tick(1);
			await settled();
			await form.answer();
			assert.deepEqual(form.states, ["trying", "trying", "kept"]);
			assert.ok(form.autosave.isReaching);
		});
	}

	test("is sent again no earlier than the server asks", async () => {
		form.type("a");
		mock.timers.tick(1000);
		await form.fail(503, 5000);
		mock.timers.tick(4999);
		assert.equal(form.sent.length, 1);
		mock.timers.tick(1);
		await settled();
		assert.equal(form.sent.length, 2);
	});

	test("that is refused is sent again only when it has changed", async () => {
		form.type("a");
		mock.timers.tick(1000);
		await form.fail(422);
		form.autosave.changed();
		mock.timers.tick(60_000);
		assert.deepEqual(form.texts, ["a"]);
		assert.ok(!form.autosave.isReaching);
		await kept("ab");
		assert.deepEqual(form.states, ["refused", "kept"]);
	});

	test("is not sent while the user is signed out, and is sent after signing in again", async () => {
		form.type("a");
		mock.timers.tick(1000);
		await form.fail(401);
		form.type("ab");
		form.autosave.flushNow();
		form.autosave.tryAgain();
		mock.timers.tick(60_000);
		assert.deepEqual(form.texts, ["a"]);
		form.autosave.resume();
		await settled();
		await form.answer();
		assert.deepEqual(form.texts, ["a", "ab"]);
		assert.deepEqual(form.states, ["signed-out", "idle", "kept"]);
	});

	test("is not sent after the session has ended", async () => {
		form.type("a");
		form.autosave.pause();
		form.type("ab");
		mock.timers.tick(60_000);
		assert.deepEqual(form.texts, []);
		assert.ok(!form.autosave.isReaching);
		form.autosave.resume();
		await settled();
		assert.deepEqual(form.texts, ["ab"]);
	});

	test("is sent after a sign-in that found nothing to send", async () => {
		form.autosave.pause();
		form.autosave.resume();
		await settled();
		await kept("a");
		assert.deepEqual(form.texts, ["a"]);
	});

	test("is sent at once when the server may be reached again", async () => {
		form.type("a");
		mock.timers.tick(1000);
		await form.fail(503, 60_000);
		form.autosave.tryAgain();
		await settled();
		assert.equal(form.sent.length, 2);
	});

	test("is not sent again if no request has failed", async () => {
		await kept("a");
		form.autosave.tryAgain();
		form.autosave.resume();
		await settled();
		assert.equal(form.sent.length, 1);
	});

	test("is sent at once when the page closes, even during a request", async () => {
		form.type("a");
		mock.timers.tick(1000);
		form.typed = { text: "ab" };
		form.autosave.flushNow();
		form.autosave.flushNow();
		assert.deepEqual(form.texts, ["a", "ab"]);
	});

	test("that is being sent is not sent twice when the page closes", () => {
		form.type("a");
		mock.timers.tick(1000);
		form.autosave.flushNow();
		assert.deepEqual(form.texts, ["a"]);
	});

	test("that arrives after a newer one is followed by the newer one again", async () => {
		form.type("a");
		mock.timers.tick(1000);
		form.typed = { text: "ab" };
		form.autosave.flushNow();
		form.sent[1].resolve();
		await settled();
		form.sent[0].resolve();
		await settled();
		mock.timers.tick(1000);
		await settled();
		assert.deepEqual(form.texts, ["a", "ab", "ab"]);
	});

	test("is flushed after the pending request", async () => {
		form.type("a");
		mock.timers.tick(1000);
		form.typed = { text: "ab" };
		let isFlushed = false;
		form.autosave.flush().then(() => {
			isFlushed = true;
		});
		await form.answer();
		assert.deepEqual(form.texts, ["a", "ab"]);
		assert.ok(!isFlushed);
		await form.answer();
		assert.ok(isFlushed);
	});

	test("that is kept is flushed without a request, unless one is asked for", async () => {
		await kept("a");
		await form.autosave.flush();
		assert.equal(form.sent.length, 1);
		form.autosave.flush({ always: true });
		await settled();
		assert.equal(form.sent.length, 2);
	});

	test("rejects a flush that fails", async () => {
		form.type("a");
		const flushed = assert.rejects(form.autosave.flush(), { status: 503 });
		await settled();
		await form.fail(503);
		await flushed;
	});

	test("is not sent after the form has been sent, not even after a failure", async () => {
		form.type("a");
		mock.timers.tick(1000);
		form.autosave.stop();
		await form.fail(503);
		form.type("ab");
		form.autosave.flushNow();
		form.autosave.tryAgain();
		mock.timers.tick(60_000);
		assert.deepEqual(form.texts, ["a"]);
	});

	test("is sent when the form was sent and the page stays", async () => {
		form.type("a");
		form.autosave.stop();
		form.autosave.start();
		mock.timers.tick(1000);
		assert.deepEqual(form.texts, ["a"]);
	});
});
