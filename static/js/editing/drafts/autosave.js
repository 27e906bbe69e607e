/**
 * Saves the user's changes on the server while they type: it decides when to send them, and when to try again. It sends
 * one request at a time, the newest state last. Without DOM: form-draft.js passes `read` and `send`.
 */
import { nextDelayMs } from "../../lib/backoff.js";

const QUIET_MS = 1000;
// While other users edit the page, who see what is typed.
const SHARED_MS = 300;
const MAX_WAIT_MS = 4000;
const MAX_RETRY_MS = 30_000;
const NOTHING = JSON.stringify(null);

/** @typedef {{version: number, seen: string, values: Record<string, string>}} DraftPayload */
/** @typedef {"idle"|"kept"|"trying"|"refused"|"signed-out"} State */
/** @typedef {ReturnType<typeof setTimeout>|undefined} Timeout */
/**
 * @typedef {Object} AutosaveCallbacks
 * @property {() => DraftPayload|null} read the user's changes, null for none
 * @property {(draft: DraftPayload|null) => Promise<any>} send
 * @property {(state: State) => void} onState
 * @property {() => boolean} [isShared] whether other users edit the page
 * @property {() => number} [random]
 */

/** @example new Autosave({ read, send, onState }, null).changed(); */
export class Autosave {
	#callbacks;
	/** what the server holds, as JSON */
	#stored;
	/** @type {Promise<void>|null} */
	#pending = null;
	#sent = "";
	#failures = 0;
	#typedSince = 0;
	#isStopped = false;
	/** @type {State} */
	#state = "idle";
	/** @type {Timeout} */
	#quietTimeout;
	/** @type {Timeout} */
	#retryTimeout;

	/**
	 * @param {AutosaveCallbacks} callbacks
	 * @param {DraftPayload|null} stored what the server holds already
	 */
	constructor(callbacks, stored) {
		this.#callbacks = callbacks;
		this.#stored = JSON.stringify(stored);
	}

	/** Whether the server holds all changes. */
	get isKept() {
		return this.#stored === this.#current();
	}

	/** Whether the last request succeeded, so that one more as the page closes will succeed too. */
	get isReaching() {
		return this.#state === "idle" || this.#state === "kept";
	}

	/**
	 * Handle a change: send it after a second without changes, and at least every four seconds. While other users edit
	 * the page, send it after 300 ms, whether the user goes on typing or not.
	 */
	changed() {
		clearTimeout(this.#quietTimeout);
		if (this.#isStopped || this.#state === "trying" || this.#state === "signed-out") return;
		// The server would refuse the same draft again.
		const isRefused = this.#state === "refused" && this.#sent === this.#current();
		if (this.isKept || isRefused) {
			this.#typedSince = 0;
			if (this.#state === "idle" && this.#sent === this.#stored && this.#stored !== NOTHING)
				this.#setState("kept");
			return;
		}
		if (this.#state === "kept") this.#setState("idle");
		this.#typedSince ||= Date.now();
		const waitedMs = Date.now() - this.#typedSince;
		const ms = this.#callbacks.isShared?.()
			? SHARED_MS - waitedMs
			: Math.min(QUIET_MS, MAX_WAIT_MS - waitedMs);
		this.#quietTimeout = setTimeout(() => this.#sendInBackground(), Math.max(0, ms));
	}

	/**
	 * Send the changes now.
	 * @param {{always?: boolean}} [options] always: send also what the server holds, to learn whether it can be reached
	 * @returns {Promise<void>}
	 * @throws what `send` throws
	 */
	async flush({ always = false } = {}) {
		while (this.#pending) await this.#pending.catch(() => {});
		if (always || !this.isKept) await this.#send();
	}

	/** Send the changes without waiting for a pending request, because the page may close. */
	flushNow() {
		if (this.#isStopped || this.isKept || this.#state === "signed-out") return;
		if (this.#pending && this.#sent === this.#current()) return;
		this.#send().catch(() => {});
	}

	/** Retry a failed request now: the server may be reached again. */
	tryAgain() {
		if (!this.#isStopped && this.#state === "trying") this.#sendInBackground();
	}

	/** Retry, and send once more what the server held: the user, who returns, may have discarded it elsewhere. */
	renew() {
		this.tryAgain();
		if (!this.#isStopped && this.#state === "kept") this.flush({ always: true }).catch(() => {});
	}

	/** Wait for `resume`: the sign-in session has ended. */
	pause() {
		this.#clear();
		this.#setState("signed-out");
	}

	/** Send the changes again: the user has signed in. */
	resume() {
		if (this.#isStopped || this.isReaching) return;
		this.#setState("idle");
		this.#sendInBackground();
	}

	/** Send nothing from now on: the form itself has been sent. */
	stop() {
		this.#isStopped = true;
		this.#clear();
	}

	/** Send changes again: the form is still here. */
	start() {
		this.#isStopped = false;
		this.changed();
	}

	#current() {
		return JSON.stringify(this.#callbacks.read());
	}

	#sendInBackground() {
		this.flush().catch(() => {}); // #handleFailure has scheduled a retry
	}

	async #send() {
		this.#clear();
		const draft = this.#callbacks.read();
		const text = JSON.stringify(draft);
		const sending = this.#callbacks.send(draft).then(
			() => this.#handleSuccess(text),
			(error) => {
				this.#handleFailure(error);
				throw error;
			},
		);
		this.#pending = sending;
		this.#sent = text;
		try {
			await sending;
		} finally {
			if (this.#pending === sending) this.#pending = null;
			this.changed(); // the user may have typed during the request
		}
	}

	/** @param {string} text */
	#handleSuccess(text) {
		this.#stored = text;
		this.#failures = 0;
		this.#setState(text === NOTHING ? "idle" : "kept");
	}

	/** @param {import("../../lib/http.js").HttpError} error */
	#handleFailure({ status, waitMs }) {
		if (status === 401) return this.#setState("signed-out");
		// The server refuses this draft, and may accept it when the user has changed it.
		if (status > 401 && status < 500 && status !== 429) return this.#setState("refused");
		const { random = Math.random } = this.#callbacks;
		const failures = ++this.#failures;
		this.#setState("trying");
		if (this.#isStopped) return;
		clearTimeout(this.#retryTimeout);
		const ms = nextDelayMs({ intervalMs: MAX_RETRY_MS, failures, waitMs, random: random() });
		this.#retryTimeout = setTimeout(() => this.#sendInBackground(), ms);
	}

	/** @param {State} state */
	#setState(state) {
		this.#state = state;
		this.#callbacks.onState(state);
	}

	#clear() {
		clearTimeout(this.#quietTimeout);
		clearTimeout(this.#retryTimeout);
		this.#typedSince = 0;
	}
}
