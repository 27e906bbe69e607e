// @ts-check
/**
 * The event stream of one page: held while it is wanted, and after a break opened again with growing pauses. No DOM; page.js
 * gives it `open`. What it does not bring the heartbeat does, a little later: so nothing here is ever an error to a person.
 */
import { nextBeatMs } from "../../lib/backoff.js";

// The server says something every 20 s: after this long it is gone, or somebody in between keeps it all.
export const SILENCE_MS = 45_000;
const LONGEST_PAUSE_MS = 60_000;
// One that broke sooner had never worked: the pauses go on growing.
const PROVEN_MS = 10_000;

export class Stream {
	#organs;
	#isWanted = false;
	/** @type {EventSource|null} */
	#source = null;
	#openedAt = 0;
	#heardAt = 0;
	#failures = 0;
	#opened = 0;
	#retry;

	/**
	 * @param {{open: (number: number) => EventSource, hear: Record<string, (data: any) => void>, onBreak: () => void,
	 *   random?: () => number}} organs `hear`: by event; onBreak: it ended, and not because the server moves
	 */
	constructor(organs) {
		this.#organs = organs;
	}

	/** Whether what changes will be heard: something has been, and not long ago. */
	get isLive() {
		return this.#source !== null && this.#heardAt > 0 && Date.now() - this.#heardAt < SILENCE_MS;
	}

	/** Counts the streams: of the one that is held, or of the next. So a beat tells which of them is not the last. */
	get number() {
		return this.#source ? this.#opened : this.#opened + 1;
	}

	/** Holds it from now on. One that has fallen silent is opened anew. */
	start() {
		this.#isWanted = true;
		if (this.#source && Date.now() - Math.max(this.#heardAt, this.#openedAt) >= SILENCE_MS) this.#broken();
		if (!this.#source && this.#retry === undefined) this.#open();
	}

	/** Does not wait out a pause: the portal has just answered, or the network is back. */
	hurry() {
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
		const source = this.#organs.open(++this.#opened);
		this.#source = source;
		this.#openedAt = Date.now();
		this.#heardAt = 0;
		const hear = (name, react) =>
			source.addEventListener(name, ({ data }) => {
				if (source !== this.#source) return;
				this.#heardAt = Date.now();
				react(JSON.parse(data));
			});
		for (const [name, react] of Object.entries(this.#organs.hear)) hear(name, react);
		hear("ping", () => {});
		hear("end", ({ reason }) => this.#moved(reason));
		source.addEventListener("error", () => source === this.#source && this.#broken());
	}

	/** The server says good-bye: it restarts, or this person has too many streams. Nobody is taken off for that. */
	#moved(reason) {
		this.#forgive();
		this.#close();
		this.#pause(reason === "full" ? LONGEST_PAUSE_MS : 0);
	}

	/** EventSource would try again by itself, every few seconds for ever, all browsers at once. */
	#broken() {
		this.#forgive();
		this.#close();
		this.#pause(0);
		this.#organs.onBreak();
	}

	#forgive() {
		if (Date.now() - this.#openedAt > PROVEN_MS) this.#failures = 0;
	}

	#pause(waitMs) {
		if (!this.#isWanted) return;
		const { random = Math.random } = this.#organs;
		const failures = ++this.#failures;
		const ms = nextBeatMs({ heartbeatMs: LONGEST_PAUSE_MS, failures, waitMs, random: random() });
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
