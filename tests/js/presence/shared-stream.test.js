import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { SharedStream } from "../../../static/js/presence/sync/shared-stream.js";
import { Source } from "./source.js";
import { until } from "./until.js";

const ROSTER = { users: [1], version: 2 };

describe("the streams of one browser", () => {
	let tabs;

	beforeEach(() => (tabs = []));
	afterEach(async () => {
		for (const { stream } of tabs) stream.stop();
		await until(async () => (await navigator.locks.query()).held.length === 0);
	});

	function tabAt(page, { profileId = 1, isLimited = true } = {}) {
		const tab = { opened: [], received: [], beats: 0, stream: null };
		tab.stream = new SharedStream(
			{ page, profileId, locks: isLimited ? navigator.locks : undefined },
			{
				open: () => tab.opened[tab.opened.push(new Source()) - 1],
				handlers: { roster: (data) => tab.received.push(data), "signed-out": () => tab.stream.stop() },
				onBreak: () => tab.beats++,
			},
		);
		tabs.push(tab);
		tab.stream.start();
		return tab;
	}

	const isOpen = ({ opened }) => opened.length > 0 && !opened.at(-1).isClosed;

	async function holderAt(page, about) {
		const tab = tabAt(page, about);
		await until(() => isOpen(tab));
		return tab;
	}

	/** Return a tab that waits for a stream. */
	async function queuedAt(page) {
		const tab = tabAt(page);
		await until(() => tab.beats === 1);
		return tab;
	}

	const fill = async () => [
		await holderAt("client-1"),
		await holderAt("client-2"),
		await holderAt("client-3"),
	];

	test("are as many as the tabs without Web Locks and over HTTP/2", () => {
		for (let n = 0; n < 12; n++) assert.ok(isOpen(tabAt("client-1", { isLimited: false })));
	});

	test("pass events to another tab of the same page, which is live then", async () => {
		const holder = await holderAt("client-1");
		const second = await queuedAt("client-1");
		assert.deepEqual([second.stream.isLive, second.stream.isCrowdedOut], [false, true]);

		holder.opened[0].sends("roster", ROSTER);

		await until(() => second.received.length);
		assert.deepEqual(second.received, [ROSTER]);
		assert.deepEqual([second.stream.isLive, second.stream.isCrowdedOut], [true, false]);
		assert.equal(second.opened.length, 0);
	});

	test("make another tab of the page live by a ping", async () => {
		const holder = await holderAt("client-1");
		const second = await queuedAt("client-1");
		holder.opened[0].sends("ping");
		await until(() => second.stream.isLive);
	});

	test("pass no event to a tab of another page or of another profile", async () => {
		const holder = await holderAt("client-1");
		const strangers = await holderAt("client-4", { profileId: 2 });
		const other = await queuedAt("client-1");
		const elsewhere = await holderAt("client-2");

		strangers.opened[0].sends("roster", { users: [9] });
		holder.opened[0].sends("roster", ROSTER);

		await until(() => other.received.length);
		assert.deepEqual([other.received, elsewhere.received], [[ROSTER], []]);
	});

	test("are handed over to another tab of the page when a tab stops", async () => {
		const holder = await holderAt("client-1");
		const second = await queuedAt("client-1");
		holder.opened[0].sends("roster", ROSTER);
		await until(() => second.stream.isLive);

		holder.stream.stop();

		await until(() => isOpen(second));
		assert.equal(holder.opened[0].isClosed, true);
		assert.equal(second.stream.isLive, false);
	});

	test("crowd out one of four pages until it is preferred, and the tab that loses its stream beats", async () => {
		const holders = await fill();
		const fourth = await queuedAt("client-4");
		assert.equal(fourth.stream.isCrowdedOut, true);
		fourth.stream.start();
		assert.equal(fourth.opened.length, 0);

		fourth.stream.prefer();
		fourth.stream.start();

		await until(() => isOpen(fourth));
		const [loser] = holders.filter((tab) => !isOpen(tab));
		await until(() => loser.beats >= 1);
		assert.equal(holders.filter(isOpen).length, 2);
		assert.equal(loser.stream.number, 2);
		assert.equal(fourth.stream.isCrowdedOut, false);
	});

	test("stay with their tab when the user turns to another tab that receives its events", async () => {
		const holder = await holderAt("client-1");
		const second = await queuedAt("client-1");
		holder.opened[0].sends("roster", ROSTER);
		await until(() => second.stream.isLive);

		second.stream.prefer();
		second.stream.start();
		holder.opened[0].sends("roster", ROSTER);

		await until(() => second.received.length === 2);
		assert.ok(isOpen(holder));
	});

	test("make each tab beat, whatever its page, when the sign-in session ends", async () => {
		const holder = await holderAt("client-1");
		const second = await queuedAt("client-1");
		const elsewhere = await holderAt("client-2");

		holder.opened[0].sends("signed-out");

		await until(() => second.beats >= 2 && elsewhere.beats >= 1);
		assert.ok(isOpen(elsewhere));
		assert.equal(holder.opened[0].isClosed, true);
	});
});
