/**
 * The event stream of one tab among the tabs of its browser. Over HTTP/1.1 only a few tabs hold a stream
 * (stream-slot.js). A tab without one receives, through a BroadcastChannel, the events that another tab of its profile
 * receives for the same page. If no tab does, the tab relies on its heartbeat, and `isCrowdedOut` makes page.js beat
 * more often. Without DOM.
 *
 * Each tab holds its own stream over HTTP/2, and where Web Locks do not exist (plain HTTP to a host other than
 * localhost).
 */
import { STALE_AFTER_MS, Stream } from "./stream.js";
import { StreamSlot } from "./stream-slot.js";

/** @typedef {import("./stream.js").Handlers} Handlers */
/** @typedef {{page: string, name: string, data: any}} Message between tabs; name: of the event */

/** @example new SharedStream({ page, profileId, locks: navigator.locks }, { open, handlers, onBreak }).start(); */
export class SharedStream {
	#page;
	#channelName;
	/** @type {Handlers} */
	#handlers;
	#onBreak;
	#stream;
	/** @type {StreamSlot|null} null if the number of streams is not limited */
	#slot;
	/** @type {BroadcastChannel|null} open only while a stream is wanted: it keeps a page out of the back-forward cache */
	#channel = null;
	#receivedAt = 0;
	#isPreferred = false;

	/**
	 * @param {{page: string, profileId: number, locks: LockManager|undefined}} context locks: if streams are limited
	 * @param {import("./stream.js").StreamCallbacks} callbacks
	 */
	constructor({ page, profileId, locks }, callbacks) {
		this.#page = page;
		this.#channelName = `portal-live-${profileId}`;
		this.#handlers = callbacks.handlers;
		this.#onBreak = callbacks.onBreak;
		this.#stream = new Stream({ ...callbacks, handlers: this.#relayingHandlers() });
		this.#slot = locks
			? new StreamSlot(locks, `portal-stream-${profileId}-${page}`, {
					onGrant: () => this.#handleGrant(),
					onQueue: () => this.#handleQueue(),
					onLoss: () => this.#handleLoss(),
				})
			: null;
	}

	/** Whether events arrive, by this tab's stream or by another tab's. */
	get isLive() {
		return this.#stream.isLive || Date.now() - this.#receivedAt < STALE_AFTER_MS;
	}

	get number() {
		return this.#stream.number;
	}

	/** Whether other tabs have all the streams, and none of them receives events for this page. */
	get isCrowdedOut() {
		return Boolean(this.#slot?.isQueued) && !this.isLive;
	}

	/** Give this tab priority at the next start, because the user has just turned to it. */
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

	reconnectNow() {
		this.#stream.reconnectNow();
	}

	stop() {
		this.#stopStream();
		this.#slot?.release();
		this.#channel?.close();
		this.#channel = null;
		this.#receivedAt = 0;
	}

	/** Return handlers that also send each event to the other tabs. A ping tells them that the stream works. */
	#relayingHandlers() {
		/** @type {Handlers} */
		const relaying = {};
		for (const [name, handle] of Object.entries(this.#handlers).concat([["ping", () => {}]]))
			relaying[name] = (data) => {
				this.#broadcast(name, data);
				handle(data);
			};
		return relaying;
	}

	#listen() {
		if (this.#channel) return;
		this.#channel = new BroadcastChannel(this.#channelName);
		this.#channel.onmessage = ({ data }) => this.#handleMessage(data);
	}

	/**
	 * @param {string} name
	 * @param {any} data
	 */
	#broadcast(name, data) {
		this.#channel?.postMessage({ page: this.#page, name, data });
	}

	/** @param {Message} message */
	#handleMessage({ page, name, data }) {
		// The event concerns the session or one page: a heartbeat tells each tab whether it is affected.
		if (name === "signed-out") this.#onBreak();
		else if (page === this.#page && !this.#slot?.isHeld) this.#handleMessageOfPage(name, data);
	}

	/**
	 * @param {string} name
	 * @param {any} data
	 */
	#handleMessageOfPage(name, data) {
		this.#receivedAt = name === "silent" ? 0 : Date.now();
		this.#handlers[name]?.(data);
	}

	#handleGrant() {
		this.#receivedAt = 0;
		this.#stream.start();
	}

	/** Forget earlier messages: their tab may be gone. The response to a heartbeat decides when the next one follows. */
	#handleQueue() {
		this.#receivedAt = 0;
		this.#onBreak();
	}

	/** Send a heartbeat, so that the server keeps this tab although its stream has ended. */
	#handleLoss() {
		this.#stopStream();
		this.#onBreak();
	}

	#stopStream() {
		if (this.#slot?.isHeld) this.#broadcast("silent", {});
		this.#stream.stop();
	}
}
