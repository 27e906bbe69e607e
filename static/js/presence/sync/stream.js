/**
 * The event stream of one page. It is opened while it is wanted, and after a break again with growing pauses. Without
 * DOM: page.js passes `open`. Heartbeats return whatever the stream misses, so a break is never shown as an error.
 */
import { nextDelayMs } from "../../lib/backoff.js";

// The server sends an event every 20 s. After this time the connection is dead, or a proxy holds the events back.
export const STALE_AFTER_MS = 45_000;
const MAX_PAUSE_MS = 60_000;
// A newer stream of the user has replaced this one. The server sends "full" until release 0.3.
const REPLACED = ["replaced", "full"];
// A stream that breaks sooner has never worked, so the pauses go on growing.
const STABLE_AFTER_MS = 10_000;

/** @typedef {Record<string, (data: any) => void>} Handlers by the name of the stream's event */
/**
 * @typedef {Object} StreamCallbacks
 * @property {(number: number) => EventSource} open
 * @property {Handlers} handlers
 * @property {() => void} onBreak the stream has ended, and not because the server said so
 * @property {() => number} [random]
 */

/** @example new Stream({ open, handlers: { roster: show }, onBreak }).start(); */
export class Stream {
	#callbacks;
	#isWanted = false;
	/** @type {EventSource|null} */
	#source = null;
	#openedAt = 0;
	#receivedAt = 0;
	#failures = 0;
	#opened = 0;
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	#retry;

	/** @param {StreamCallbacks} callbacks */
	constructor(callbacks) {
		this.#callbacks = callbacks;
	}

	/** Whether the stream works: an event has arrived recently. */
	get isLive() {
		return this.#source !== null && this.#receivedAt > 0 && Date.now() - this.#receivedAt < STALE_AFTER_MS;
	}

	/** The number of the current stream, or of the next one. With it the server recognises an older stream of the tab. */
	get number() {
		return this.#source ? this.#opened : this.#opened + 1;
	}

	/** Keep the stream open from now on. Reopen a stream that has become stale. */
	start() {
		this.#isWanted = true;
		if (this.#source && Date.now() - Math.max(this.#receivedAt, this.#openedAt) >= STALE_AFTER_MS)
			this.#handleBreak();
		if (!this.#source && this.#retry === undefined) this.#open();
	}

	/** Cut a pause short: the server has just responded, or the network is back. */
	reconnectNow() {
		if (!this.#isWanted || this.#source) return;
		this.#close();
		this.#open();
	}

	stop() {
		this.#isWanted = false;
		this.#failures = 0;
		this.#close();
	}

	#open() {
		const source = this.#callbacks.open(++this.#opened);
		this.#source = source;
		this.#openedAt = Date.now();
		this.#receivedAt = 0;
		const listen = (/** @type {string} */ name, /** @type {(data: any) => void} */ handle) =>
			source.addEventListener(name, ({ data }) => {
				if (source !== this.#source) return;
				this.#receivedAt = Date.now();
				handle(JSON.parse(data));
			});
		for (const [name, handle] of Object.entries(this.#callbacks.handlers)) listen(name, handle);
		listen("ping", () => {});
		listen("end", ({ reason }) => this.#handleEnd(reason));
		source.addEventListener("error", () => source === this.#source && this.#handleBreak());
	}

	/**
	 * The server closes the stream: it restarts, or the user has too many streams. The user's presence goes on.
	 * @param {string} reason
	 */
	#handleEnd(reason) {
		this.#resetBackoff();
		this.#close();
		this.#reopenLater(REPLACED.includes(reason) ? MAX_PAUSE_MS : 0);
	}

	/** Close the EventSource, which would otherwise reconnect every few seconds for ever, in all browsers at once. */
	#handleBreak() {
		this.#resetBackoff();
		this.#close();
		this.#reopenLater(0);
		this.#callbacks.onBreak();
	}

	#resetBackoff() {
		if (Date.now() - this.#openedAt > STABLE_AFTER_MS) this.#failures = 0;
	}

	/** @param {number} waitMs the least pause */
	#reopenLater(waitMs) {
		if (!this.#isWanted) return;
		const { random = Math.random } = this.#callbacks;
		const failures = ++this.#failures;
		const ms = nextDelayMs({ intervalMs: MAX_PAUSE_MS, failures, waitMs, random: random() });
		this.#retry = setTimeout(() => {
			this.#retry = undefined;
			this.#open();
		}, ms);
	}

	#close() {
		clearTimeout(this.#retry);
		this.#retry = undefined;
		this.#source?.close();
		this.#source = null;
	}
}
