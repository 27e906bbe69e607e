// @ts-check
/**
 * <presence-page>: says "I am here" for this tab and tells the document who else is: at each beat, and as it happens while
 * the event stream works. A tab that nobody sees beats on without one, unless it waits for something.
 *
 * Reads:  data-page ("client-42"), data-activity ("viewing"|"editing"), data-part ("ISA A0001") where the page edits a
 *         part of the record, told in place of fields until one is changed, data-heartbeat-seconds, data-active-window-seconds, data-version of the record as the page shows it, where it has one;
 *         <body data-profile-id>.
 * Hears:  `presence:activity` {activity, fields} from an editor, `presence:renewed` after a new sign-in.
 * Fires:  `presence:roster` {users, others, isSettled}, `presence:join` {user}, `presence:leave` {user},
 *         `presence:nudge` {by}, `presence:renewed` where another tab had signed in again,
 *         `presence:connection` {state: "online"|"reconnecting"|"signed-out"|"gone"}, `presence:saved` {version} at
 *         each answer that tells a newer version, until whoever has shown it moves data-version on (editing/remote/poll.js).
 * `users` is what the server said; `others` leaves out the caller and is calm; where it is empty, that is only to be
 * relied upon when `isSettled` (roster.js).
 *
 * @example <presence-page data-page="client-42" data-activity="viewing" …></presence-page>
 */
import { fire, on } from "../../lib/events.js";
import { myId, renewSession } from "../../session/session.js";
import * as api from "./api.js";
import { Heartbeat } from "./heartbeat.js";
import { checkAt, drawn, isSettled, receive, UNKNOWN } from "./roster.js";
import { SharedStream } from "./shared-stream.js";

// An answer that was overtaken is older by less than this; by more, the database's clock has been put back.
const OVERTAKEN_SECONDS = 10;
// While other tabs have all the streams of this browser.
const CROWDED_OUT_BEAT_MS = 5000;

/** The Web Locks that limit the streams, where each takes one of the browser's six connections to a host. */
function limitingLocks() {
	const [navigation] = performance.getEntriesByType("navigation");
	const protocol = /** @type {PerformanceNavigationTiming} */ (navigation)?.nextHopProtocol;
	return /^h[23]/.test(protocol) ? undefined : navigator.locks;
}

export class PresencePage extends HTMLElement {
	// A new one for each load: sessionStorage is copied into a duplicated tab, and the two would take each other out.
	// A reload needs no memory: the old page leaves, the new one joins. (crypto.randomUUID is missing on plain HTTP.)
	#tabId = crypto.getRandomValues(new BigUint64Array(2)).join("-");
	#roster = UNKNOWN;
	/** @type {import("./roster.js").User[]} as the server said last, and when it had read them */
	#users = [];
	#readAt = 0;
	#doing = { activity: "viewing", fields: [], waiting: false, answer: null };
	#connection = "";
	#hasTriedToRenew = false;
	#slowestMs = Number.POSITIVE_INFINITY;
	#check;
	#heart = new Heartbeat({
		send: (signal) => api.beat(this.#state(), signal),
		onAnswer: (answer) => this.#answered(answer),
		onFailure: (error) => this.#failed(error),
	});
	/** @type {SharedStream} from when the element is in the document, and has its attributes */
	#stream;

	connectedCallback() {
		if (!myId()) return;
		this.#doing.activity = this.dataset.activity;
		if (this.dataset.part) this.#doing.fields = [this.dataset.part];
		this.#heart.heartbeatMs = Number(this.dataset.heartbeatSeconds) * 1000;
		this.#stream = this.#newStream();
		this.#listen();
		if (document.hasFocus()) this.#stream.prefer();
		const start = () => this.#heart.start();
		// A page that Chrome prepares in secret is not a visit yet.
		if ("prerendering" in document && document.prerendering)
			document.addEventListener("prerenderingchange", start);
		else start();
	}

	/** Everybody here, as the server said last. */
	get users() {
		return this.#users;
	}

	/** The other viewers as last known. */
	get others() {
		return drawn(this.#roster);
	}

	/** Whether that there are no others may be relied upon. */
	get isSettled() {
		return isSettled(this.#roster);
	}

	/**
	 * Who is here, exactly and without beating.
	 * @param {number} timeoutMs
	 * @returns {Promise<import("./roster.js").User[]|null>} null without an answer in time
	 */
	async ask(timeoutMs) {
		try {
			const users = await api.roster(this.dataset.page, timeoutMs);
			this.#take(users);
			return users;
		} catch {
			return null;
		}
	}

	/** What this tab's beats say from now on. @param {{waiting?: boolean, answer?: "soon"|"done"|null}} what */
	say(what) {
		Object.assign(this.#doing, what);
	}

	beat() {
		this.#heart.beat();
	}

	/** Asks the others to finish; this tab waits. @throws {import("../../lib/http.js").HttpError} 429 when it has only just asked */
	nudge() {
		return api.nudge(this.dataset.page, this.#tabId);
	}

	/** Even where the server would have it slower. @param {number} ms */
	beatAtLeastEvery(ms) {
		this.#slowestMs = ms;
		if (ms < this.#heart.heartbeatMs) this.#heart.beatSoon();
	}

	#newStream() {
		const about = { page: this.dataset.page, profileId: myId(), locks: limitingLocks() };
		return new SharedStream(about, {
			open: (number) => api.events(this.dataset.page, this.#tabId, number),
			hear: {
				roster: (answer) => this.#heard(answer),
				saved: (answer) => this.#saved(answer),
				nudge: (answer) => fire("nudge", answer),
				"signed-out": () => {
					this.#stream.stop();
					this.#heart.beat(); // which finds out whether that is so
				},
			},
			onBreak: () => this.#heart.beatSoon(), // so that nobody takes this tab for gone
		});
	}

	#listen() {
		const soon = () => this.#heart.beatSoon();
		window.addEventListener("focus", () => this.#stream.prefer());
		for (const type of ["visibilitychange", "resume"]) document.addEventListener(type, soon);
		for (const type of ["focus", "online"]) window.addEventListener(type, soon);
		document.addEventListener("visibilitychange", () => document.hidden || this.#holdStream());
		window.addEventListener("pagehide", () => this.#leave());
		window.addEventListener("pageshow", ({ persisted }) => persisted && this.#returnFromCache());
		on("renewed", () => this.#heart.start());
		on("activity", (detail) => {
			Object.assign(this.#doing, detail);
			soon();
		});
	}

	#leave() {
		clearTimeout(this.#check);
		this.#stream.stop();
		if (!this.#heart.isRunning) return;
		this.#heart.stop();
		api.leave(this.dataset.page, this.#tabId).catch(() => {}); // nobody is left to tell
	}

	/** The back button is an arrival: those who are here then are no news. */
	#returnFromCache() {
		this.#roster = UNKNOWN;
		this.#heart.start();
	}

	/** As it is at the moment of sending. */
	#state() {
		const tab = { page_identifier: this.dataset.page, tab_id: this.#tabId, visible: !document.hidden };
		return { ...tab, ...this.#doing, stream: this.#stream.number };
	}

	#answered(answer) {
		this.#hasTriedToRenew = false;
		if (this.#connection !== "online") this.#stream.hurry();
		this.#connect("online");
		this.#holdStream();
		this.#heard(answer);
	}

	/** Only once the beat has said so: a stream that just ends would be taken for a browser that is gone. */
	#holdStream() {
		if (document.hidden && !this.#doing.waiting) this.#stream.stop();
		else if (this.#heart.isRunning) this.#stream.start();
	}

	/** What a beat is answered and what the stream tells are the same, and may overtake each other. */
	#heard({ heartbeat_seconds, read_at, users, version }) {
		const crowdedMs = this.#stream.isCrowdedOut ? CROWDED_OUT_BEAT_MS : Number.POSITIVE_INFINITY;
		this.#heart.heartbeatMs = Math.min(heartbeat_seconds * 1000, this.#slowestMs, crowdedMs);
		this.#saved({ version });
		if (this.#readAt - OVERTAKEN_SECONDS < read_at && read_at < this.#readAt) return;
		this.#readAt = read_at;
		this.#take(users);
	}

	#saved({ version }) {
		if (version > Number(this.dataset.version)) fire("saved", { version });
	}

	#take(users) {
		this.#users = users;
		const now = Date.now();
		const activeWindowMs = Number(this.dataset.activeWindowSeconds) * 1000;
		const circumstances = { now, myId: myId(), heartbeatMs: this.#heart.heartbeatMs, activeWindowMs };
		const { roster, joined, left } = receive(this.#roster, users, circumstances);
		this.#roster = roster;
		for (const user of joined) fire("join", { user });
		for (const user of left) fire("leave", { user });
		fire("roster", { users, others: this.others, isSettled: this.isSettled });
		clearTimeout(this.#check);
		const ms = checkAt(roster) - now;
		if (ms < Number.POSITIVE_INFINITY) this.#check = setTimeout(() => this.#lookAgain(), ms);
	}

	/** Whoever was missing would be back in a roster by now, if the stream works. */
	#lookAgain() {
		if (this.#stream.isLive) this.#take(this.#users);
		else this.#heart.beat();
	}

	#failed({ status }) {
		if (status === 401) this.#end("signed-out");
		else if (status === 404) this.#end("gone");
		else if (status === 403 && !this.#hasTriedToRenew) this.#renew();
		else this.#connect("reconnecting");
	}

	/** The CSRF token is of an earlier sign-in session: another tab may have signed in again meanwhile. */
	async #renew() {
		this.#hasTriedToRenew = true;
		this.#heart.stop();
		const { state } = await renewSession();
		if (state === "signed-out" || state === "somebody-else") this.#end("signed-out");
		else if (state === "renewed") fire("renewed");
		else this.#heart.start();
	}

	#end(state) {
		clearTimeout(this.#check);
		this.#stream.stop();
		this.#heart.stop();
		this.#connect(state);
	}

	#connect(state) {
		if (state !== this.#connection) fire("connection", { state });
		this.#connection = state;
	}
}
