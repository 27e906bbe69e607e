// @ts-check
/**
 * The event stream of one tab among those of its browser. Over HTTP/1.1 few tabs hold one (stream-slot.js). A tab without
 * one hears, through a BroadcastChannel, what another tab of its profile hears about the same page. Where no tab does, it
 * lives by its heartbeat, and `isCrowdedOut` tells page.js to beat more often. No DOM.
 *
 * Over HTTP/2, and where Web Locks do not exist (plain HTTP to another host than localhost), each tab holds its own.
 */
import { SILENCE_MS, Stream } from "./stream.js";
import { StreamSlot } from "./stream-slot.js";

export class SharedStream {
	#page;
	#channelName;
	#hear;
	#onBreak;
	#stream;
	/** @type {StreamSlot|null} null where the number of streams is not limited */
	#slot;
	/** @type {BroadcastChannel|null} only while a stream is wanted: an open one keeps a page out of the back-forward cache */
	#channel = null;
	#heardAt = 0;
	#isPreferred = false;

	/**
	 * @param {{page: string, profileId: number, locks: LockManager|undefined}} about locks: where streams are limited
	 * @param {ConstructorParameters<typeof Stream>[0]} organs
	 */
	constructor({ page, profileId, locks }, organs) {
		this.#page = page;
		this.#channelName = `portal-live-${profileId}`;
		this.#hear = organs.hear;
		this.#onBreak = organs.onBreak;
		this.#stream = new Stream({ ...organs, hear: this.#relayed() });
		this.#slot = locks
			? new StreamSlot(locks, `portal-stream-${profileId}-${page}`, {
					onGrant: () => this.#granted(),
					onQueue: () => this.#queued(),
					onLoss: () => this.#lost(),
				})
			: null;
	}

	/** Whether what changes will be heard, by this tab's stream or by another's. */
	get isLive() {
		return this.#stream.isLive || Date.now() - this.#heardAt < SILENCE_MS;
	}

	get number() {
		return this.#stream.number;
	}

	/** Whether other tabs have all the streams, and none of them hears for this page. */
	get isCrowdedOut() {
		return Boolean(this.#slot?.isQueued) && !this.isLive;
	}

	/** From the next start it comes before the other tabs: somebody has just turned to this one. */
	prefer() {
		this.#isPreferred = true;
	}

	start() {
		if (!this.#slot) return this.#stream.start();
		this.#listen();
		if (this.#slot.isHeld) this.#stream.start();
		else this.#slot.claim(this.#isPreferred && !this.isLive);
		this.#isPreferred = false;
	}

	hurry() {
		this.#stream.hurry();
	}

	stop() {
		this.#silence();
		this.#slot?.release();
		this.#channel?.close();
		this.#channel = null;
		this.#heardAt = 0;
	}

	/** What the stream tells, told to the other tabs too. A ping tells them that it works. */
	#relayed() {
		const relay = (name, react) => (data) => {
			this.#tell(name, data);
			react(data);
		};
		const all = Object.entries({ ...this.#hear, ping: () => {} });
		return Object.fromEntries(all.map(([name, react]) => [name, relay(name, react)]));
	}

	#listen() {
		if (this.#channel) return;
		this.#channel = new BroadcastChannel(this.#channelName);
		this.#channel.onmessage = ({ data }) => this.#told(data);
	}

	#tell(name, data) {
		this.#channel?.postMessage({ page: this.#page, name, data });
	}

	#told({ page, name, data }) {
		// It is about the session or about one page: each tab finds out by a beat whether it is meant.
		if (name === "signed-out") this.#onBreak();
		else if (page === this.#page && !this.#slot.isHeld) this.#toldOfThisPage(name, data);
	}

	#toldOfThisPage(name, data) {
		this.#heardAt = name === "silent" ? 0 : Date.now();
		this.#hear[name]?.(data);
	}

	#granted() {
		this.#heardAt = 0;
		this.#stream.start();
	}

	/** What was heard before may be of a tab that is gone. The beat's answer decides how soon the next one follows. */
	#queued() {
		this.#heardAt = 0;
		this.#onBreak();
	}

	/** The beat tells the server that this tab is still there, although its stream has ended. */
	#lost() {
		this.#silence();
		this.#onBreak();
	}

	#silence() {
		if (this.#slot?.isHeld) this.#tell("silent", {});
		this.#stream.stop();
	}
}
