// @ts-check
/** The one way to the portal's JSON API: CSRF token, time limit, RFC 9457 problems. */
import { retryAfterMs } from "./backoff.js";

/** `status` is 0 where no usable answer came: offline, timed out, taken back. `waitMs` is the server's wish. */
export class HttpError extends Error {
	/** @param {number} status @param {string} detail @param {number} [waitMs] */
	constructor(status, detail, waitMs) {
		super(detail);
		this.status = status;
		this.waitMs = waitMs;
	}
}

/**
 * @param {string} method
 * @param {string} url
 * @param {{body?: Object, timeoutMs?: number, signal?: AbortSignal, keepalive?: boolean}} [options] keepalive: outlives the page
 * @returns {Promise<any>} the JSON answer
 * @throws {HttpError}
 */
export async function call(method, url, { body, timeoutMs = 10_000, signal, keepalive } = {}) {
	const limits = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])];
	const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfMeta().content };
	const options = {
		method,
		headers,
		keepalive,
		body: body && JSON.stringify(body),
		signal: AbortSignal.any(limits),
	};
	const response = await fetch(url, options).catch((error) => {
		throw new HttpError(0, error.message);
	});
	const answer = await response.json().catch(() => null);
	if (response.ok && answer) return answer;
	const waitMs = retryAfterMs(response.headers.get("Retry-After"), Date.now());
	throw new HttpError(response.ok ? 0 : response.status, answer?.detail ?? url, waitMs);
}

/** Read at every call: session.js renews it. @returns {HTMLMetaElement} */
export const csrfMeta = () => document.querySelector('meta[name="csrf-token"]');
