/**
 * Decides which tabs of a browser hold an event stream, by Web Locks. Without DOM: shared-stream.js passes the locks.
 *
 * Over HTTP/1.1 a browser opens six connections to a host. Three slots leave three connections for pages and saves. A
 * tab with a stream holds two locks: that of its page, so that two tabs never hold two streams of one page, and one
 * slot. The browser releases the locks of a tab that closes or crashes, and the next tab in the queue gets them.
 */
export const SLOTS = ["portal-stream-1", "portal-stream-2", "portal-stream-3"];

/**
 * @typedef {Object} SlotCallbacks
 * @property {() => void} onGrant the tab holds a slot
 * @property {() => void} onQueue another tab holds the slot; the claim stays in the queue
 * @property {() => void} onLoss a tab in the foreground has taken the slot; the claim is in the queue again
 */

/** @example new StreamSlot(navigator.locks, "portal-stream-1-client-42", { onGrant, onQueue, onLoss }).claim(false); */
export class StreamSlot {
	#locks;
	#page;
	#callbacks;
	/** @type {AbortController|null} ends the requests for locks, and releases the locks that are held */
	#claim = null;
	#isHeld = false;
	#isQueued = false;

	/**
	 * @param {LockManager} locks
	 * @param {string} page the name of the page's lock
	 * @param {SlotCallbacks} callbacks
	 */
	constructor(locks, page, callbacks) {
		this.#locks = locks;
		this.#page = page;
		this.#callbacks = callbacks;
	}

	get isHeld() {
		return this.#isHeld;
	}

	get isQueued() {
		return this.#isQueued;
	}

	/**
	 * Request a slot.
	 * @param {boolean} isUrgent take it from another tab if none is free
	 */
	claim(isUrgent) {
		if (this.#isHeld || (this.#claim && !isUrgent)) return;
		this.release();
		this.#claim = new AbortController();
		this.#acquire(this.#claim, isUrgent);
	}

	release() {
		this.#claim?.abort();
		this.#claim = null;
		this.#isHeld = this.#isQueued = false;
	}

	/**
	 * @param {AbortController} claim
	 * @param {boolean} isUrgent
	 */
	async #acquire(claim, isUrgent) {
		const isGranted =
			(await this.#take([this.#page], claim, isUrgent)) && (await this.#take(SLOTS, claim, isUrgent));
		if (!isGranted || claim !== this.#claim) return;
		this.#isHeld = true;
		this.#isQueued = false;
		this.#callbacks.onGrant();
	}

	/**
	 * Take one of these locks: a free one; if urgent, the first one by force; otherwise the first to be released.
	 * @param {string[]} names
	 * @param {AbortController} claim
	 * @param {boolean} isUrgent
	 */
	async #take(names, claim, isUrgent) {
		for (const name of names) if (await this.#request([name], { ifAvailable: true }, claim)) return true;
		if (claim !== this.#claim) return false;
		if (isUrgent) return this.#request(names.slice(0, 1), { steal: true }, claim);
		this.#isQueued = true;
		this.#callbacks.onQueue();
		return this.#request(names, {}, claim);
	}

	/**
	 * Request these locks and hold the first one granted until the claim ends.
	 * @param {string[]} names
	 * @param {LockOptions} options
	 * @param {AbortController} claim
	 * @returns {Promise<boolean>} whether a lock is held
	 */
	#request(names, options, claim) {
		const others = new AbortController();
		claim.signal.addEventListener("abort", () => others.abort());
		// The browser accepts no signal together with `ifAvailable` or `steal`.
		const all = Object.keys(options).length ? options : { signal: others.signal };
		return new Promise((resolve) => {
			let taken = "";
			for (const name of names) {
				const hold = (/** @type {Lock|null} */ lock) => {
					if (!lock || taken || claim.signal.aborted) return resolve(false);
					taken = name;
					resolve(true);
					others.abort();
					return new Promise((release) => claim.signal.addEventListener("abort", release));
				};
				this.#locks.request(name, all, hold).catch(() => {
					if (taken === name) this.#handleLoss(claim);
					else resolve(false);
				});
			}
		});
	}

	/** @param {AbortController} claim */
	#handleLoss(claim) {
		if (claim !== this.#claim) return;
		const wasHeld = this.#isHeld;
		this.release();
		if (wasHeld) this.#callbacks.onLoss();
		this.claim(false);
	}
}

/** Return the Web Locks that limit the streams: over HTTP/1.1 each stream takes one of six connections to the host. */
export function limitingLocks() {
	const [navigation] = performance.getEntriesByType("navigation");
	const protocol = /** @type {PerformanceNavigationTiming} */ (navigation)?.nextHopProtocol;
	return /^h[23]/.test(protocol) ? undefined : navigator.locks;
}
