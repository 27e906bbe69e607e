import assert from "node:assert/strict";
import { test } from "node:test";
import { announcement, countdown, lifeAt, WARN_MS } from "../../../static/js/session/remaining-time.js";

const NOW = 1_000_000;
const HOUR = 3_600_000;
const life = (idleMs, limitMs) => ({ idleAt: NOW + idleMs, limitAt: NOW + limitMs });

test("a session long before its end is quiet until the warning is due", () => {
	const { state, lookAgainMs } = lifeAt(life(30 * 60_000, HOUR), NOW);
	assert.deepEqual([state, lookAgainMs], ["quiet", 30 * 60_000 - WARN_MS]);
});

test("a session two minutes before the idle limit asks the user", () => {
	assert.equal(lifeAt(life(WARN_MS, HOUR), NOW).state, "idle");
	assert.equal(lifeAt(life(WARN_MS + 1, HOUR), NOW).state, "quiet");
});

test("a session before the absolute limit only warns the user", () => {
	assert.equal(lifeAt(life(HOUR, WARN_MS), NOW).state, "limit");
	assert.equal(lifeAt(life(60_000, 60_000), NOW).state, "limit");
});

test("a session at either limit has ended", () => {
	assert.equal(lifeAt(life(0, HOUR), NOW).state, "ended");
	assert.equal(lifeAt(life(HOUR, -1), NOW).state, "ended");
	assert.equal(lifeAt(life(0, HOUR), NOW).msLeft, 0);
});

test("the countdown never shows less than the remaining time", () => {
	assert.deepEqual([120_000, 65_000, 59_001, 59_000, 1].map(countdown), [
		"2:00",
		"1:05",
		"1:00",
		"0:59",
		"0:01",
	]);
});

test("the remaining time is announced three times, not every second", () => {
	const announced = Array.from({ length: 120 }, (_, seconds) => announcement(seconds * 1000)).filter(Boolean);
	assert.deepEqual(announced, ["10 seconds left", "30 seconds left", "60 seconds left"]);
});
