import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { SLOTS, StreamSlot } from "../../../static/js/presence/sync/stream-slot.js";
import { until } from "./until.js";

describe("the slots for streams of one browser", () => {
	let tabs;

	beforeEach(() => (tabs = []));
	afterEach(async () => {
		for (const { slot } of tabs) slot.release();
		await until(async () => (await navigator.locks.query()).held.length === 0);
	});

	function tabAt(page) {
		const tab = { losses: 0, queued: 0, slot: null };
		const callbacks = { onGrant: () => {}, onQueue: () => tab.queued++, onLoss: () => tab.losses++ };
		tab.slot = new StreamSlot(navigator.locks, page, callbacks);
		tabs.push(tab);
		return tab;
	}

	async function holderAt(page) {
		const tab = tabAt(page);
		tab.slot.claim(false);
		await until(() => tab.slot.isHeld);
		return tab;
	}

	async function queuedAt(page) {
		const tab = tabAt(page);
		tab.slot.claim(false);
		await until(() => tab.slot.isQueued);
		return tab;
	}

	const fill = async () => [await holderAt("a"), await holderAt("b"), await holderAt("c")];

	test("are three, and the tab in the queue gets whichever slot is released", async () => {
		for (const leaves of SLOTS.keys()) {
			const holders = await fill();
			const next = await queuedAt("d");
			assert.equal(next.slot.isHeld, false);

			holders[leaves].slot.release();

			await until(() => next.slot.isHeld);
			assert.equal(next.slot.isQueued, false);
			const { held } = await navigator.locks.query();
			assert.equal(held.filter(({ name }) => SLOTS.includes(name)).length, SLOTS.length);
			for (const { slot } of tabs) slot.release();
			await until(async () => (await navigator.locks.query()).held.length === 0);
		}
	});

	test("are not taken by a second tab of a page, which follows the first", async () => {
		const first = await holderAt("a");
		const second = await queuedAt("a");
		const other = await holderAt("b");
		assert.equal(other.slot.isHeld, true);

		first.slot.release();
		await until(() => second.slot.isHeld);
	});

	test("are taken by an urgent claim from another tab only if none is free", async () => {
		const holders = [await holderAt("a"), await holderAt("b")];
		const urgent = tabAt("c");
		urgent.slot.claim(true);
		await until(() => urgent.slot.isHeld);
		assert.deepEqual(
			holders.map(({ losses }) => losses),
			[0, 0],
		);
	});

	test("are taken by an urgent claim if all are held, and the tab that loses one is in the queue again", async () => {
		const holders = await fill();
		const urgent = tabAt("d");
		urgent.slot.claim(true);
		await until(() => urgent.slot.isHeld);
		await until(() => holders.some(({ losses }) => losses === 1));
		const [lost] = holders.filter(({ losses }) => losses === 1);
		await until(() => lost.slot.isQueued);

		urgent.slot.release();
		await until(() => lost.slot.isHeld);
	});

	test("are taken by a tab in the queue when its claim becomes urgent", async () => {
		await fill();
		const next = await queuedAt("d");
		next.slot.claim(true);
		await until(() => next.slot.isHeld);
	});

	test("are released by another tab of the page when an urgent claim takes over", async () => {
		const first = await holderAt("a");
		const second = tabAt("a");
		second.slot.claim(true);
		await until(() => second.slot.isHeld && first.slot.isQueued);
		assert.equal(first.losses, 1);
		const { held } = await navigator.locks.query();
		assert.equal(held.filter(({ name }) => SLOTS.includes(name)).length, 1);
	});

	test("are not given to a tab that has left the queue", async () => {
		const [first] = await fill();
		const next = await queuedAt("d");
		next.slot.release();
		first.slot.release();
		const last = await holderAt("e");
		assert.deepEqual([next.slot.isHeld, next.slot.isQueued, last.slot.isHeld], [false, false, true]);
	});
});
