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
		const tab = { opened: [], heard: [], beats: 0, stream: null };
		tab.stream = new SharedStream(
			{ page, profileId, locks: isLimited ? navigator.locks : undefined },
			{
				open: () => tab.opened[tab.opened.push(new Source()) - 1],
				handlers: { roster: (data) => tab.heard.push(data), "signed-out": () => tab.stream.stop() },
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

	/** A tab that has been told that it has to wait. */
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

	test("without Web Locks, and over HTTP/2, each tab holds its own", () => {
		for (let n = 0; n < 12; n++) assert.ok(isOpen(tabAt("client-1", { isLimited: false })));
	});

	test("a tab hears what another one hears about its page, and is live by that", async () => {
		const holder = await holderAt("client-1");
		const second = await queuedAt("client-1");
		assert.deepEqual([second.stream.isLive, second.stream.isCrowdedOut], [false, true]);

		holder.opened[0].says("roster", ROSTER);

		await until(() => second.heard.length);
		assert.deepEqual(second.heard, [ROSTER]);
		assert.deepEqual([second.stream.isLive, second.stream.isCrowdedOut], [true, false]);
		assert.equal(second.opened.length, 0);
	});

	test("a ping tells the other tabs of the page that the stream works", async () => {
		const holder = await holderAt("client-1");
		const second = await queuedAt("client-1");
		holder.opened[0].says("ping");
		await until(() => second.stream.isLive);
	});

	test("a tab hears nothing about another page, nor what another profile's tab hears", async () => {
		const holder = await holderAt("client-1");
		const strangers = await holderAt("client-4", { profileId: 2 });
		const other = await queuedAt("client-1");
		const elsewhere = await holderAt("client-2");

		strangers.opened[0].says("roster", { users: [9] });
		holder.opened[0].says("roster", ROSTER);

		await until(() => other.heard.length);
		assert.deepEqual([other.heard, elsewhere.heard], [[ROSTER], []]);
	});

	test("a tab that stops tells the others, and one of its page opens a stream", async () => {
		const holder = await holderAt("client-1");
		const second = await queuedAt("client-1");
		holder.opened[0].says("roster", ROSTER);
		await until(() => second.stream.isLive);

		holder.stream.stop();

		await until(() => isOpen(second));
		assert.equal(holder.opened[0].isClosed, true);
		assert.equal(second.stream.isLive, false);
	});

	test("of four pages one is crowded out; when somebody turns to it, another tab gives way and beats", async () => {
		const holders = await fill();
		const fourth = await queuedAt("client-4");
		assert.equal(fourth.stream.isCrowdedOut, true);
		fourth.stream.start();
		assert.equal(fourth.opened.length, 0);

		fourth.stream.prefer();
		fourth.stream.start();

		await until(() => isOpen(fourth));
		const [given] = holders.filter((tab) => !isOpen(tab));
		await until(() => given.beats >= 1);
		assert.equal(holders.filter(isOpen).length, 2);
		assert.equal(given.stream.number, 2);
		assert.equal(fourth.stream.isCrowdedOut, false);
	});

	test("a tab that hears through another takes no stream from it when somebody turns to it", async () => {
		const holder = await holderAt("client-1");
		const second = await queuedAt("client-1");
		holder.opened[0].says("roster", ROSTER);
		await until(() => second.stream.isLive);

		second.stream.prefer();
		second.stream.start();
		holder.opened[0].says("roster", ROSTER);

		await until(() => second.heard.length === 2);
		assert.ok(isOpen(holder));
	});

	test("the end of a sign-in session makes each tab beat, whatever its page", async () => {
		const holder = await holderAt("client-1");
		const second = await queuedAt("client-1");
		const elsewhere = await holderAt("client-2");

		holder.opened[0].says("signed-out");

		await until(() => second.beats >= 2 && elsewhere.beats >= 1);
		assert.ok(isOpen(elsewhere));
		assert.equal(holder.opened[0].isClosed, true);
	});
});
