/** When to send the next request. The functions are pure: the caller passes the random number and the time. */

const FIRST_RETRY_MS = 1000;
const MAX_WAIT_MS = 120_000;
const QUIET_MS = 250;
const MAX_BURST_MS = 1000;

/**
 * Return the delay before the next request, in ms.
 *
 * After a success it is the interval. After failures, it doubles from 1 s up to the interval. A random factor puts it
 * in the second half of that span, so that the tabs of an office do not all reconnect at once after a restart. A
 * `Retry-After` of the server is a minimum.
 *
 * @param {{intervalMs: number, failures: number, waitMs?: number, random: number}} state
 *   waitMs: what the server asked for; random: in [0, 1)
 */
export function nextDelayMs({ intervalMs, failures, waitMs = 0, random }) {
	if (failures === 0) return intervalMs;
	const spanMs = Math.min(intervalMs, FIRST_RETRY_MS * 2 ** (failures - 1));
	return Math.max(spanMs * (0.5 + random / 2), Math.min(waitMs, MAX_WAIT_MS) * (1 + random / 4));
}

/**
 * Return the delay that joins a burst of calls into one: 250 ms after the last call, at most 1 s after the first.
 * @param {number} burstMs time since the first call
 */
export const debounceMs = (burstMs) => Math.max(0, Math.min(QUIET_MS, MAX_BURST_MS - burstMs));

/**
 * Parse a `Retry-After` header into ms from now.
 * @param {string|null} header seconds or an HTTP date
 * @param {number} now ms
 */
export function retryAfterMs(header, now) {
	const ms = /^\d+$/.test(header ?? "") ? Number(header) * 1000 : Date.parse(header ?? "") - now;
	return Math.max(0, ms || 0);
}
