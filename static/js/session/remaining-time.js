// @ts-check
/** How long a sign-in session still lives, and what is to be said of it. Pure. */

/** How long before its end a person is asked. */
export const WARN_MS = 120_000;
const SAID_AT_SECONDS = [60, 30, 10];

/**
 * @typedef {{idleAt: number, limitAt: number}} Life moments in ms: the idle limit, and the one that nothing moves
 * @param {Life} life @param {number} now
 * @returns {{state: "quiet"|"idle"|"limit"|"ended", msLeft: number, lookAgainMs: number}}
 */
export function lifeAt({ idleAt, limitAt }, now) {
	const msLeft = Math.min(idleAt, limitAt) - now;
	if (msLeft <= 0) return { state: "ended", msLeft: 0, lookAgainMs: 0 };
	if (msLeft > WARN_MS) return { state: "quiet", msLeft, lookAgainMs: msLeft - WARN_MS };
	return { state: limitAt <= idleAt ? "limit" : "idle", msLeft, lookAgainMs: 1000 };
}

/** "1:05" @param {number} ms */
export function countdown(ms) {
	const seconds = Math.ceil(ms / 1000);
	return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** What is read out, not every second; "" for nothing new. @param {number} ms */
export function announcement(ms) {
	const seconds = Math.ceil(ms / 1000);
	return SAID_AT_SECONDS.includes(seconds) ? `${seconds} seconds left` : "";
}
