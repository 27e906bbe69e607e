// @ts-check
/**
 * Keeps on the server what is typed: when to send it, one at a time, the newest state last; when to try again. No DOM;
 * drafts.js gives it `read` and `send`.
 */
import { nextBeatMs } from "../../lib/backoff.js";

const QUIET_MS = 1000;
const LONGEST_WAIT_MS = 4000;
const SLOWEST_RETRY_MS = 30_000;
const NOTHING = JSON.stringify(null);

/** @typedef {"idle"|"kept"|"trying"|"refused"|"signed-out"} State */

export class Keeper {
	#organs;
	/** what the server holds, as JSON @type {string} */
	#kept;
	/** @type {Promise<void>|null} */
	#underWay = null;
	#sent = "";
	#failures = 0;
	#typedSince = 0;
	#isStopped = false;
	/** @type {State} */
	#state = "idle";
	#quiet;
	#retry;

	/**
	 * @param {{read: () => Object|null, send: (draft: Object|null) => Promise<any>, onState: (state: State) => void,
	 *   random?: () => number}} organs read: what there is to keep now, null for nothing
	 * @param {Object|null} kept what the server holds already
	 */
	constructor(organs, kept) {
		this.#organs = organs;
		this.#kept = JSON.stringify(kept);
	}

	/** Whether the server holds everything that is typed. */
	get isKept() {
		return this.#kept === this.#now();
	}

	/** Whether the last try brought it to the server, so that one more as the page goes will do the same. */
	get isReaching() {
		return this.#state === "idle" || this.#state === "kept";
	}

	/** Something was typed: sent when it has been quiet for a second, and every four seconds while it is not. */
	changed() {
		clearTimeout(this.#quiet);
		if (this.#isStopped || this.#state === "trying" || this.#state === "signed-out") return;
		const isRefused = this.#state === "refused" && this.#sent === this.#now(); // it would be again
		if (this.isKept || isRefused) {
			this.#typedSince = 0;
			if (this.#state === "idle" && this.#sent === this.#kept && this.#kept !== NOTHING) this.#become("kept");
			return;
		}
		if (this.#state === "kept") this.#become("idle");
		this.#typedSince ||= Date.now();
		const ms = Math.min(QUIET_MS, LONGEST_WAIT_MS - (Date.now() - this.#typedSince));
		this.#quiet = setTimeout(() => this.#sendQuietly(), Math.max(0, ms));
	}

	/**
	 * Brings it to the server now.
	 * @param {{always?: boolean}} [options] always: also what it holds already, to learn whether it can be reached
	 * @returns {Promise<void>} @throws what `send` throws
	 */
	async flush({ always = false } = {}) {
		while (this.#underWay) await this.#underWay.catch(() => {});
		if (always || !this.isKept) await this.#send();
	}

	/** The page may be going away: what is under way is not waited for. */
	urgent() {
		if (this.#isStopped || this.isKept || this.#state === "signed-out") return;
		if (this.#underWay && this.#sent === this.#now()) return;
		this.#send().catch(() => {});
	}

	/** The server may be reached again. */
	tryAgain() {
		if (!this.#isStopped && this.#state === "trying") this.#sendQuietly();
	}

	/** The person is back: tries again, and sends once more what was kept, for it may have been discarded elsewhere. */
	renew() {
		this.tryAgain();
		if (!this.#isStopped && this.#state === "kept") this.flush({ always: true }).catch(() => {});
	}

	/** The sign-in session has ended: what is typed waits for `resume`. */
	pause() {
		this.#clear();
		this.#become("signed-out");
	}

	/** Somebody has signed in again. */
	resume() {
		if (this.#isStopped || this.isReaching) return;
		this.#become("idle");
		this.#sendQuietly();
	}

	/** Nothing is sent from here on: the form itself has been. */
	stop() {
		this.#isStopped = true;
		this.#clear();
	}

	/** The form has come back. */
	start() {
		this.#isStopped = false;
		this.changed();
	}

	#now() {
		return JSON.stringify(this.#organs.read());
	}

	#sendQuietly() {
		this.flush().catch(() => {}); // #failed has seen to it
	}

	async #send() {
		this.#clear();
		const draft = this.#organs.read();
		const text = JSON.stringify(draft);
		const sending = this.#organs.send(draft).then(
			() => this.#arrived(text),
			(error) => {
				this.#failed(error);
				throw error;
			},
		);
		this.#underWay = sending;
		this.#sent = text;
		try {
			await sending;
		} finally {
			if (this.#underWay === sending) this.#underWay = null;
			this.changed(); // what was typed meanwhile
		}
	}

	#arrived(text) {
		this.#kept = text;
		this.#failures = 0;
		this.#become(text === NOTHING ? "idle" : "kept");
	}

	#failed({ status, waitMs }) {
		if (status === 401) return this.#become("signed-out");
		// What the server will not have now it may have once it is changed.
		if (status > 401 && status < 500 && status !== 429) return this.#become("refused");
		const { random = Math.random } = this.#organs;
		const failures = ++this.#failures;
		this.#become("trying");
		if (this.#isStopped) return;
		clearTimeout(this.#retry);
		const ms = nextBeatMs({ heartbeatMs: SLOWEST_RETRY_MS, failures, waitMs, random: random() });
		this.#retry = setTimeout(() => this.#sendQuietly(), ms);
	}

	#become(state) {
		this.#state = state;
		this.#organs.onState(state);
	}

	#clear() {
		clearTimeout(this.#quiet);
		clearTimeout(this.#retry);
		this.#typedSince = 0;
	}
}
