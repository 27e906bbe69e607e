/** The search of a text that changes while it runs: waits for a pause in typing, and ignores the responses to older texts. */

/**
 * @template Result
 * @typedef {{text: string, result?: Result, error?: any}} Outcome of the newest text: its result or its error
 */

/** @template Result */
export class LatestSearch {
	#number = 0;
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	#timer;
	/** @type {AbortController|undefined} */
	#running;
	#load;
	#show;
	#delayMs;

	/**
	 * @param {(text: string, signal: AbortSignal) => Promise<Result>} load
	 * @param {(outcome: Outcome<Result>) => void} show
	 * @param {number} [delayMs]
	 */
	constructor(load, show, delayMs = 120) {
		this.#load = load;
		this.#show = show;
		this.#delayMs = delayMs;
	}

	/**
	 * Search for a text, instead of every earlier one.
	 * @param {string} text
	 * @param {number} [delayMs]
	 */
	start(text, delayMs = this.#delayMs) {
		const number = this.stop();
		this.#timer = setTimeout(async () => {
			this.#running = new AbortController();
			/** @type {Outcome<Result>} */
			let outcome;
			try {
				outcome = { text, result: await this.#load(text, this.#running.signal) };
			} catch (error) {
				outcome = { text, error };
			}
			if (number === this.#number) this.#show(outcome);
		}, delayMs);
	}

	/** End the search without a response. Returns the number of the next one. */
	stop() {
		clearTimeout(this.#timer);
		this.#running?.abort();
		this.#number += 1;
		return this.#number;
	}
}
