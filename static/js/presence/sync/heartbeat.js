// @ts-check
/**
 * The heart of one tab: beats now, soon and every so often, never twice at a time. No DOM; page.js and list.js give it
 * `send`. A beat asked for during a beat follows at once, so that the newest state arrives last.
 */
import { debounceMs, nextBeatMs } from "../../lib/backoff.js";

export class Heartbeat {
	/** The server's answer sets it; holds from the next beat. */
	heartbeatMs = 30_000;
	#organs;
	/** @type {AbortController|null} null while stopped; what a beat of an earlier life brings is ignored */
	#life = null;
	#isBeating = false;
	#isAnotherWanted = false;
	#failures = 0;
	#burstSince = 0;
	#next;
	#soon;

	/**
	 * @param {{send: (signal: AbortSignal) => Promise<any>, onAnswer: (answer: any) => void,
	 *   onFailure: (error: any) => void, random?: () => number}} organs onFailure may call stop()
	 */
	constructor(organs) {
		this.#organs = organs;
	}

	get isRunning() {
		return this.#life !== null;
	}

	start() {
		this.stop();
		this.#life = new AbortController();
		this.#failures = 0;
		this.beat();
	}

	/** Takes back the beat under way and those planned. */
	stop() {
		this.#life?.abort();
		this.#life = null;
		this.#isBeating = this.#isAnotherWanted = false;
		this.#clear();
	}

	beat() {
		const life = this.#life;
		this.#isAnotherWanted = this.#isBeating;
		if (!life || this.#isBeating) return;
		this.#clear();
		this.#isBeating = true;
		this.#organs.send(life.signal).then(
			(answer) => life === this.#life && this.#answered(answer),
			(error) => life === this.#life && this.#failed(error),
		);
	}

	/** One beat for a burst of calls. */
	beatSoon() {
		if (!this.#life) return;
		this.#burstSince ||= Date.now();
		clearTimeout(this.#soon);
		this.#soon = setTimeout(() => this.beat(), debounceMs(Date.now() - this.#burstSince));
	}

	#answered(answer) {
		this.#failures = 0;
		this.#isBeating = false;
		this.#organs.onAnswer(answer);
		this.#plan(this.#isAnotherWanted ? 0 : this.heartbeatMs);
	}

	#failed(error) {
		const { onFailure, random = Math.random } = this.#organs;
		const failures = ++this.#failures;
		this.#isBeating = false;
		onFailure(error);
		this.#plan(
			nextBeatMs({ heartbeatMs: this.heartbeatMs, failures, waitMs: error.waitMs, random: random() }),
		);
	}

	#plan(ms) {
		clearTimeout(this.#next);
		if (this.#life && !this.#isBeating) this.#next = setTimeout(() => this.beat(), ms);
	}

	#clear() {
		clearTimeout(this.#next);
		clearTimeout(this.#soon);
		this.#burstSince = 0;
	}
}
