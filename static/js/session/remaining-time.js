/** The remaining time of a sign-in session, and what to show of it. The functions are pure. */

/** How long before the end the page asks the user. */
export const WARN_MS = 120_000;
const ANNOUNCED_SECONDS = [60, 30, 10];

/** @typedef {{idleAt: number, limitAt: number}} Life ms; idleAt: end without activity, limitAt: end in any case */
/** @typedef {"quiet"|"idle"|"limit"|"ended"} LifeState idle: activity extends the session; limit: nothing does */

/**
 * Return the state of a session and when to look again.
 * @param {Life} life
 * @param {number} now
 * @returns {{state: LifeState, msLeft: number, lookAgainMs: number}}
 */
export function lifeAt({ idleAt, limitAt }, now) {
	const msLeft = Math.min(idleAt, limitAt) - now;
	if (msLeft <= 0) return { state: "ended", msLeft: 0, lookAgainMs: 0 };
	if (msLeft > WARN_MS) return { state: "quiet", msLeft, lookAgainMs: msLeft - WARN_MS };
	return { state: limitAt <= idleAt ? "limit" : "idle", msLeft, lookAgainMs: 1000 };
}

/**
 * Return a text such as "1:05".
 * @param {number} ms
 */
export function countdown(ms) {
	const seconds = Math.ceil(ms / 1000);
	return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/**
 * Return what a screen reader announces, "" for nothing. A slow tab draws less often than once a second.
 * @param {number} ms
 * @param {number} [msBefore] when the time was drawn before
 */
export function announcement(ms, msBefore = ms + 1000) {
	const isPassed = ANNOUNCED_SECONDS.some((seconds) => ms <= seconds * 1000 && msBefore > seconds * 1000);
	return isPassed && ms > 0 ? `${Math.ceil(ms / 1000)} seconds left` : "";
}
