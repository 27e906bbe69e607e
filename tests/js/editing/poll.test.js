/** Followers of saves: static/js/editing/remote/poll.js with a document and a server of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";

const target = new EventTarget();
const ME = 1;
globalThis.HTMLMetaElement = class {};
globalThis.document = Object.assign(target, {
	body: { dataset: { profileId: `${ME}` } },
	querySelector: () => Object.assign(new HTMLMetaElement(), { content: "token" }),
});

const { leaveOutOwn, onSaved, waitForOwnSave } = await import("../../../static/js/editing/remote/poll.js");
const { fire } = await import("../../../static/js/lib/events.js");

/** Who has saved each version, from 1 on. */
let authors = [];
globalThis.fetch = async (url) => {
	const since = Number(url.split("=")[1]);
	const changes = authors
		.map((by_id, i) => ({ version: i + 1, by_id }))
		.filter(({ version }) => version > since);
	return Response.json({ version: authors.length, changes });
};
const page = { dataset: { version: "2", changesUrl: "/changes" } };

/** Follow the saves from a version on, and return the versions of each call. */
function follow(version) {
	const calls = [];
	const controller = new AbortController();
	const show = ({ changes }) => calls.push(changes.map((change) => change.version));
	onSaved(page, show, { version, signal: controller.signal });
	return { calls, stop: () => controller.abort() };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Report the newest version, and wait until its changes are shown. */
async function report() {
	fire("saved", { version: authors.length });
	for (let round = 0; round < 10; round += 1) await settled();
}

test("a form that started at an older version is shown what the page shows already", async () => {
	authors = [2, 2];
	const onPage = follow(2);
	const inForm = follow(1);
	await report();
	assert.deepEqual([onPage.calls, inForm.calls], [[], [[2]]]);
	authors.push(3);
	await report();
	assert.deepEqual([onPage.calls, inForm.calls], [[[3]], [[2], [3]]]);
	for (const each of [onPage, inForm]) each.stop();
});

test("the user's own save is left out, and a save of another user before it is not", async () => {
	const onPage = follow(3);
	authors.push(2, ME);
	let answer = () => {};
	waitForOwnSave(
		new Promise((resolve) => {
			answer = resolve;
		}),
	);
	await report();
	assert.deepEqual(onPage.calls, []);
	leaveOutOwn(5);
	answer();
	await report();
	assert.deepEqual(onPage.calls, [[4]]);
	authors.push(ME);
	await report();
	assert.deepEqual(onPage.calls, [[4], [6]], "from another tab");
	onPage.stop();
});

test("a page without followers asks nothing, and one that follows again hears of later saves", async () => {
	authors.push(2);
	await report();
	const again = follow(7);
	authors.push(2);
	await report();
	assert.deepEqual(again.calls, [[8]]);
	again.stop();
});

test("a module that is loaded after another one has shown a save shows it too", async () => {
	const early = follow(8);
	authors.push(2);
	await report();
	const late = follow();
	await report();
	assert.deepEqual(early.calls, [[9]]);
	assert.deepEqual(late.calls, [[3, 4, 6, 7, 8, 9]], "all since the page was made, without the user's own");
	for (const each of [early, late]) each.stop();
});
