// @ts-check
/** When to beat next. Pure: chance comes in as an argument. */

const FIRST_RETRY_MS = 1000;
const LONGEST_WAIT_MS = 120_000;
const QUIET_MS = 150;
const LONGEST_BURST_MS = 1000;

/**
 * A failed beat is tried again after 1, 2, 4 … s, at most the heartbeat, somewhere in the second half of that span:
 * after a restart a whole office would otherwise be back in one instant. What the server asks for is waited in full.
 * @param {{heartbeatMs: number, failures: number, waitMs?: number, random: number}} now random in [0, 1)
 */
export function nextBeatMs({ heartbeatMs, failures, waitMs = 0, random }) {
	if (failures === 0) return heartbeatMs;
	const spanMs = Math.min(heartbeatMs, FIRST_RETRY_MS * 2 ** (failures - 1));
	return Math.max(spanMs * (0.5 + random / 2), Math.min(waitMs, LONGEST_WAIT_MS) * (1 + random / 4));
}

/** One beat for a burst of calls: when it has been quiet, or after a second. @param {number} burstMs since the first */
export const debounceMs = (burstMs) => Math.max(0, Math.min(QUIET_MS, LONGEST_BURST_MS - burstMs));

/** @param {string|null} header Retry-After: seconds or an HTTP date @param {number} now ms @returns {number} ms */
export function retryAfterMs(header, now) {
	const ms = /^\d+$/.test(header ?? "") ? Number(header) * 1000 : Date.parse(header ?? "") - now;
	return Math.max(0, ms || 0);
}
