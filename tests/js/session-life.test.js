import assert from "node:assert/strict";
import { test } from "node:test";
import { announcement, countdown, lifeAt, WARN_MS } from "../../static/js/session/remaining-time.js";

const NOW = 1_000_000;
const HOUR = 3_600_000;
const life = (idleMs, limitMs) => ({ idleAt: NOW + idleMs, limitAt: NOW + limitMs });

test("long before the end nothing is said, and the next look is when the warning is due", () => {
	const { state, lookAgainMs } = lifeAt(life(30 * 60_000, HOUR), NOW);
	assert.deepEqual([state, lookAgainMs], ["quiet", 30 * 60_000 - WARN_MS]);
});

test("two minutes before the idle limit the person is asked", () => {
	assert.equal(lifeAt(life(WARN_MS, HOUR), NOW).state, "idle");
	assert.equal(lifeAt(life(WARN_MS + 1, HOUR), NOW).state, "quiet");
});

test("before the absolute limit there is nothing to ask, only to say", () => {
	assert.equal(lifeAt(life(HOUR, WARN_MS), NOW).state, "limit");
	assert.equal(lifeAt(life(60_000, 60_000), NOW).state, "limit");
});

test("at either limit it is over", () => {
	assert.equal(lifeAt(life(0, HOUR), NOW).state, "ended");
	assert.equal(lifeAt(life(HOUR, -1), NOW).state, "ended");
	assert.equal(lifeAt(life(0, HOUR), NOW).msLeft, 0);
});

test("the countdown never says less than is left", () => {
	assert.deepEqual([120_000, 65_000, 59_001, 59_000, 1].map(countdown), [
		"2:00",
		"1:05",
		"1:00",
		"0:59",
		"0:01",
	]);
});

test("what is read out comes three times, not every second", () => {
	const said = Array.from({ length: 120 }, (_, seconds) => announcement(seconds * 1000)).filter(Boolean);
	assert.deepEqual(said, ["10 seconds left", "30 seconds left", "60 seconds left"]);
});
