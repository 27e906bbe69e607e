/** The unsaved values of other editors: static/js/presence/sync/shared-drafts.js with a document and a server of its own. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

globalThis.HTMLMetaElement = class {};
globalThis.document = Object.assign(new EventTarget(), {
	body: { dataset: { profileId: "1" } },
	querySelector: () => Object.assign(new HTMLMetaElement(), { content: "token" }),
});

const { SharedDrafts } = await import("../../../static/js/presence/sync/shared-drafts.js");

describe("the shared drafts of a page", () => {
	let shown;
	document.addEventListener("portal:drafts", ({ detail }) => shown.push(detail.read_at));
	let drafts;
	beforeEach(() => {
		shown = [];
		drafts = new SharedDrafts("client-42");
	});

	test("leave out a state that a newer one has overtaken", () => {
		drafts.receive({ read_at: 1000, drafts: [] });
		drafts.receive({ read_at: 999.5, drafts: [] });
		assert.deepEqual(shown, [1000]);
	});

	test("follow a database whose clock was set back", () => {
		drafts.receive({ read_at: 4600, drafts: [] });
		drafts.receive({ read_at: 1000, drafts: [] });
		drafts.receive({ read_at: 1001, drafts: [] });
		assert.deepEqual(shown, [4600, 1000, 1001]);
	});

	test("are requested once for each mark in heartbeats, and again after a failure", async () => {
		const requests = [];
		globalThis.fetch = async (url) => {
			requests.push(url);
			return requests.length === 1
				? new Response("", { status: 503 })
				: Response.json({ read_at: 1000 + requests.length, drafts: [] });
		};
		for (const mark of ["7", "7", "7", undefined, undefined]) await drafts.follow(mark);
		assert.equal(requests.length, 3);
		assert.deepEqual(shown, [1002, 1003]);
	});
});
