/**
 * Sends heartbeats at regular intervals and on request, one at a time. Without DOM: page.js and dots.js pass `send`.
 * A heartbeat that is requested during another one follows it at once, so that the newest state arrives last.
 */
import { debounceMs, nextDelayMs } from "../../lib/backoff.js";

/**
 * @template T of the response
 * @typedef {Object} HeartbeatCallbacks
 * @property {(signal: AbortSignal) => Promise<T>} send
 * @property {(response: T) => void} onResponse
 * @property {(error: import("../../lib/http.js").HttpError) => void} onFailure may call `stop`
 * @property {() => number} [random]
 */
/** @typedef {ReturnType<typeof setTimeout>|undefined} Timeout */

/**
 * @example new Heartbeat({ send, onResponse, onFailure }).start();
 * @template T of the response
 */
export class Heartbeat {
	/** The interval. A response may change it; the change applies from the next heartbeat. */
	heartbeatMs = 30_000;
	#callbacks;
	/** @type {AbortController|null} null while stopped. A response of an earlier start is ignored. */
	#abortController = null;
	#isBeating = false;
	#isAnotherWanted = false;
	#failures = 0;
	#burstSince = 0;
	/** @type {Timeout} */
	#nextTimeout;
	/** @type {Timeout} */
	#soonTimeout;

	/** @param {HeartbeatCallbacks<T>} callbacks */
	constructor(callbacks) {
		this.#callbacks = callbacks;
	}

	get isRunning() {
		return this.#abortController !== null;
	}

	start() {
		this.stop();
		this.#abortController = new AbortController();
		this.#failures = 0;
		this.beat();
	}

	/** Abort the current heartbeat and cancel those that are scheduled. */
	stop() {
		this.#abortController?.abort();
		this.#abortController = null;
		this.#isBeating = this.#isAnotherWanted = false;
		this.#clearTimeouts();
	}

	/** Send a heartbeat now, or directly after the current one. */
	beat() {
		const controller = this.#abortController;
		this.#isAnotherWanted = this.#isBeating;
		if (!controller || this.#isBeating) return;
		this.#clearTimeouts();
		this.#isBeating = true;
		this.#callbacks.send(controller.signal).then(
			(response) => controller === this.#abortController && this.#handleResponse(response),
			(error) => controller === this.#abortController && this.#handleFailure(error),
		);
	}

	/** Send one heartbeat for a burst of calls. */
	beatSoon() {
		if (!this.isRunning) return;
		this.#burstSince ||= Date.now();
		clearTimeout(this.#soonTimeout);
		this.#soonTimeout = setTimeout(() => this.beat(), debounceMs(Date.now() - this.#burstSince));
	}

	/** @param {T} response */
	#handleResponse(response) {
		this.#failures = 0;
		this.#isBeating = false;
		this.#callbacks.onResponse(response);
		this.#schedule(this.#isAnotherWanted ? 0 : this.heartbeatMs);
	}

	/** @param {import("../../lib/http.js").HttpError} error */
	#handleFailure(error) {
		const { onFailure, random = Math.random } = this.#callbacks;
		const failures = ++this.#failures;
		this.#isBeating = false;
		onFailure(error);
		this.#schedule(
			nextDelayMs({ intervalMs: this.heartbeatMs, failures, waitMs: error.waitMs, random: random() }),
		);
	}

	/** @param {number} ms */
	#schedule(ms) {
		clearTimeout(this.#nextTimeout);
		if (this.isRunning && !this.#isBeating) this.#nextTimeout = setTimeout(() => this.beat(), ms);
	}

	#clearTimeouts() {
		clearTimeout(this.#nextTimeout);
		clearTimeout(this.#soonTimeout);
		this.#burstSince = 0;
	}
}
