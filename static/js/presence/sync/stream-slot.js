// @ts-check
/**
 * Decides which tabs of a browser hold an event stream, by Web Locks. No DOM; shared-stream.js gives it the locks.
 *
 * Over HTTP/1.1 a browser opens six connections to a host. Three slots leave three connections for pages and saves. A tab
 * with a stream holds two locks: that of its page, so that two tabs never hold two streams of one page, and one slot. The
 * browser releases the locks of a tab that closes or crashes, and the next tab in the queue gets them.
 */
export const SLOTS = ["portal-stream-1", "portal-stream-2", "portal-stream-3"];

export class StreamSlot {
	#locks;
	#page;
	#reactions;
	/** @type {AbortController|null} ends the requests for locks and releases the locks that are held */
	#claim = null;
	#isHeld = false;
	#isQueued = false;

	/**
	 * @param {LockManager} locks
	 * @param {string} page the name of the page's lock
	 * @param {{onGrant: () => void, onQueue: () => void, onLoss: () => void}} reactions onQueue: another tab holds what this
	 *   one needs, and the claim stays in the queue; onLoss: a tab in front has taken it, and the claim is in the queue again
	 */
	constructor(locks, page, reactions) {
		this.#locks = locks;
		this.#page = page;
		this.#reactions = reactions;
	}

	get isHeld() {
		return this.#isHeld;
	}

	get isQueued() {
		return this.#isQueued;
	}

	/** Asks for a slot. @param {boolean} isUrgent takes one from another tab where none is free */
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

	async #acquire(claim, isUrgent) {
		const isGranted =
			(await this.#take([this.#page], claim, isUrgent)) && (await this.#take(SLOTS, claim, isUrgent));
		if (!isGranted || claim !== this.#claim) return;
		this.#isHeld = true;
		this.#isQueued = false;
		this.#reactions.onGrant();
	}

	/** Takes one of these locks: a free one, else by force the first one, else whichever is released first. */
	async #take(names, claim, isUrgent) {
		for (const name of names) if (await this.#request([name], { ifAvailable: true }, claim)) return true;
		if (claim !== this.#claim) return false;
		if (isUrgent) return this.#request(names.slice(0, 1), { steal: true }, claim);
		this.#isQueued = true;
		this.#reactions.onQueue();
		return this.#request(names, {}, claim);
	}

	/** @returns {Promise<boolean>} whether one of them is held, until the claim ends */
	#request(names, options, claim) {
		const others = new AbortController();
		claim.signal.addEventListener("abort", () => others.abort());
		// A request that takes at once or by force accepts no signal.
		const all = Object.keys(options).length ? options : { signal: others.signal };
		return new Promise((resolve) => {
			let taken = "";
			for (const name of names) {
				const hold = (lock) => {
					if (!lock || taken || claim.signal.aborted) return resolve(false);
					taken = name;
					resolve(true);
					others.abort();
					return new Promise((release) => claim.signal.addEventListener("abort", release));
				};
				this.#locks.request(name, all, hold).catch(() => {
					if (taken === name) this.#lost(claim);
					else resolve(false);
				});
			}
		});
	}

	#lost(claim) {
		if (claim !== this.#claim) return;
		const wasHeld = this.#isHeld;
		this.release();
		if (wasHeld) this.#reactions.onLoss();
		this.claim(false);
	}
}
