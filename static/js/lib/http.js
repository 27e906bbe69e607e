/** Calls of the portal's JSON API, with CSRF token, timeout and RFC 9457 problems. */
import { query } from "./dom.js";
import { retryAfterMs } from "./backoff.js";

/** An API call that failed. */
export class HttpError extends Error {
	/**
	 * @param {number} status 0 without a usable response: offline, timed out or aborted
	 * @param {string} detail
	 * @param {number} [waitMs] from the server's `Retry-After`
	 */
	constructor(status, detail, waitMs) {
		super(detail);
		this.status = status;
		this.waitMs = waitMs;
	}
}

/**
 * Call the API and return the response's JSON.
 * @param {string} method
 * @param {string} url
 * @param {{body?: Object, timeoutMs?: number, signal?: AbortSignal, keepalive?: boolean}} [options]
 *   keepalive: the browser completes the request even when the page closes
 * @returns {Promise<any>}
 * @throws {HttpError}
 */
export async function call(method, url, { body, timeoutMs = 10_000, signal, keepalive } = {}) {
	const signals = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])];
	const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfMeta().content };
	const options = {
		method,
		headers,
		keepalive,
		body: body && JSON.stringify(body),
		signal: AbortSignal.any(signals),
	};
	const response = await fetch(url, options).catch((error) => {
		throw new HttpError(0, error.message);
	});
	const json = await response.json().catch(() => null);
	if (response.ok && json) return json;
	const waitMs = retryAfterMs(response.headers.get("Retry-After"), Date.now());
	throw new HttpError(response.ok ? 0 : response.status, json?.detail ?? url, waitMs);
}

/** Return the element with the CSRF token. It is read at each call, because session.js renews the token. */
export const csrfMeta = () => query(document, 'meta[name="csrf-token"]', HTMLMetaElement);
