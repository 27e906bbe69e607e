import assert from "node:assert/strict";
import { test } from "node:test";

import { LatestSearch } from "../../../static/js/find/latest-search.js";

/** A server that answers when the test says so. */
function searchOn(context) {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const requests = [];
	const shown = [];
	const search = new LatestSearch(
		(text, signal) => new Promise((answer, fail) => requests.push({ text, signal, answer, fail })),
		(outcome) => shown.push(outcome),
		100,
	);
	const settle = async () => {
		for (let turn = 0; turn < 5; turn++) await null;
	};
	return { search, requests, shown, settle, pass: (ms) => context.mock.timers.tick(ms) };
}

test("a search waits for a pause in typing and sends the newest text only", (context) => {
	const { search, requests, pass } = searchOn(context);
	for (const text of ["w", "wh", "whi"]) {
		search.start(text);
		pass(99);
	}
	assert.equal(requests.length, 0);
	pass(1);
	assert.deepEqual(
		requests.map(({ text }) => text),
		["whi"],
	);
});

test("the response to an older text is ignored, and its request aborted", async (context) => {
	const { search, requests, shown, settle, pass } = searchOn(context);
	search.start("whit");
	pass(100);
	search.start("bell");
	pass(100);
	assert.deepEqual(
		requests.map(({ signal }) => signal.aborted),
		[true, false],
	);
	requests[1].answer("clients of bell");
	await settle();
	requests[0].answer("clients of whit");
	await settle();
	assert.deepEqual(shown, [{ text: "bell", result: "clients of bell" }]);
});

test("a failed search is shown with its error, unless the text has changed or the search has ended", async (context) => {
	const { search, requests, shown, settle, pass } = searchOn(context);
	search.start("whit");
	pass(100);
	requests[0].fail("offline");
	await settle();
	assert.deepEqual(shown, [{ text: "whit", error: "offline" }]);

	search.start("whitm");
	pass(100);
	search.stop();
	requests[1].fail("offline");
	await settle();
	assert.equal(shown.length, 1);
});
