/**
 * <presence-page>: reports this tab's presence and tells the other components who else is on the page. It sends
 * heartbeats, and receives changes as they happen while the event stream works. A hidden tab sends heartbeats without a
 * stream, unless the user waits for the record.
 *
 * Reads:   data-page, data-activity ("viewing"|"editing"), data-heartbeat-seconds, data-active-window-seconds;
 *          data-part ("ISA A0001") if the page edits a part of the record: it is reported until the user changes a
 *          field; data-edit-warning ("present"|"editing"); data-conflicting, in an editor, whom it asks about first;
 *          data-version of the record as the page shows it, if it has one; <body data-profile-id>; the open form
 *          (shared-drafts.js).
 * Listens: `portal:activity` from an editor; `portal:sign-in-wanted`, when the user has sent a form while signed out;
 *          `portal:renewed` after a new sign-in.
 * Fires:   `portal:roster`, `portal:join`, `portal:leave`, `portal:nudge`, `portal:unread`,
 *          `portal:connection`; `portal:drafts` when
 *          the unsaved values of other editors have changed; `portal:renewed` if the user has signed in again in
 *          another tab; `portal:saved` at each response with a newer version, until the component that shows the
 *          change sets data-version (editing/remote/poll.js). lib/events.js has their details.
 *
 * @example <presence-page data-page="client-42" data-activity="viewing" …></presence-page>
 */
import { fire, on } from "../../lib/events.js";
import { myId, renewSession } from "../../session/session.js";
import { isQuestionOpen, rememberAnswer, VIEWING } from "./answered.js";
import * as api from "./api.js";
import { Heartbeat } from "./heartbeat.js";
import { checkAt, isSettled, syncRoster, UNKNOWN, visibleViewers } from "./roster.js";
import { openForm, SharedDrafts } from "./shared-drafts.js";
import { SharedStream } from "./shared-stream.js";
import { limitingLocks } from "./stream-slot.js";
import { conflictingUsers } from "./wait-queue.js";

/** @typedef {import("./roster.js").User} User */
/** @typedef {import("../../lib/events.js").ConnectionState} ConnectionState */

// While other tabs have all the streams of this browser.
const CROWDED_OUT_BEAT_MS = 5000;

export class PresencePage extends HTMLElement {
	// Each load makes a new id: a duplicated tab gets a copy of sessionStorage, and the two tabs would remove each
	// other. crypto.randomUUID does not exist on plain HTTP.
	#tabId = crypto.getRandomValues(new BigUint64Array(2)).join("-");
	#roster = UNKNOWN;
	/** @type {User[]} as the server last sent them */
	#users = [];
	#readAt = 0;
	#drafts = new SharedDrafts(this.page);
	/** @type {Pick<api.TabState, "activity"|"fields"|"focus"|"waiting"|"answer">} */
	#tabState = { activity: "viewing", fields: [], focus: null, waiting: false, answer: null };
	/** @type {ConnectionState|""} */
	#connection = "";
	#hasTriedToRenew = false;
	#maxIntervalMs = Number.POSITIVE_INFINITY;
	/** Whether this editor asks first whether to edit, and the user has not answered. */
	isAsking = false;
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	#check;
	#heartbeat = new Heartbeat({
		send: (signal) => api.beat(this.#reportedState(), signal),
		onResponse: (response) => this.#handleResponse(response),
		onFailure: (error) => this.#handleFailure(error),
	});
	/** @type {SharedStream} set by `connectedCallback`, because it depends on the attributes */
	#stream = /** @type {any} */ (undefined);

	connectedCallback() {
		if (!myId()) return;
		this.#tabState.activity = this.dataset.activity === "editing" ? "editing" : "viewing";
		if (this.dataset.part) this.#tabState.fields = [this.dataset.part];
		this.isAsking = isQuestionOpen(this.page, this.dataset.conflicting);
		this.#heartbeat.heartbeatMs = Number(this.dataset.heartbeatSeconds) * 1000;
		this.#stream = this.#newStream();
		this.#listen();
		if (document.hasFocus()) this.#stream.prefer();
		const start = () => this.#heartbeat.start();
		// A page that Chrome prerenders is not visited yet.
		if ("prerendering" in document && document.prerendering)
			document.addEventListener("prerenderingchange", start);
		else start();
	}

	/** @param {boolean} hasProceeded the answer of the user, who edits now */
	startEditing(hasProceeded) {
		this.isAsking = false;
		rememberAnswer(hasProceeded);
		this.#heartbeat.beat();
	}

	/** The page's identifier, for example "client-42". */
	get page() {
		return this.dataset.page ?? "";
	}

	/** All users on the page, as the server last sent them. */
	get users() {
		return this.#users;
	}

	/** The other users to show. */
	get others() {
		return visibleViewers(this.#roster);
	}

	/** @param {User[]} others of whom to return those about whom the Concurrent Access dialog asks */
	conflicting(others) {
		return conflictingUsers(others, this.dataset.editWarning);
	}

	/** Whether an empty `others` can be relied upon (roster.js). */
	get isSettled() {
		return isSettled(this.#roster);
	}

	/**
	 * Return who is on the page, exactly and without a heartbeat.
	 * @param {number} timeoutMs
	 * @returns {Promise<User[]|null>} null without a response in time
	 */
	async fetchViewers(timeoutMs) {
		try {
			const users = await api.roster(this.page, timeoutMs);
			this.#update(users);
			return users;
		} catch {
			return null;
		}
	}

	/**
	 * Change what this tab reports from the next heartbeat on.
	 * @param {{waiting?: boolean, answer?: "soon"|"done"|null}} state
	 */
	setState(state) {
		Object.assign(this.#tabState, state);
	}

	beat() {
		this.#heartbeat.beat();
	}

	/**
	 * Ask the other users to finish; this tab waits.
	 * @throws {import("../../lib/http.js").HttpError} 429 if the user has just asked
	 */
	nudge() {
		return api.nudge(this.page, this.#tabId);
	}

	/**
	 * Limit the interval between heartbeats, whatever the server asks for.
	 * @param {number} ms
	 */
	beatAtLeastEvery(ms) {
		this.#maxIntervalMs = ms;
		if (ms < this.#heartbeat.heartbeatMs) this.#heartbeat.beatSoon();
	}

	#newStream() {
		const context = { page: this.page, profileId: myId(), locks: limitingLocks() };
		return new SharedStream(context, {
			open: (number) => api.events(this.page, this.#tabId, number),
			handlers: {
				roster: (response) => this.#handleRoster(response),
				saved: (response) => this.#handleVersion(response),
				drafts: (response) => this.#drafts.receive(response),
				nudge: (detail) => fire("nudge", detail),
				notifications: (data) => fire("unread", data),
				"signed-out": () => {
					this.#stream.stop();
					this.#heartbeat.beat(); // its response tells whether this is true
				},
			},
			onBreak: () => this.#heartbeat.beatSoon(), // so that the tab does not expire
		});
	}

	#listen() {
		const soon = () => this.#heartbeat.beatSoon();
		window.addEventListener("focus", () => this.#stream.prefer());
		for (const type of ["visibilitychange", "resume"]) document.addEventListener(type, soon);
		for (const type of ["focus", "online"]) window.addEventListener(type, soon);
		document.addEventListener("visibilitychange", () => document.hidden || this.#holdStream());
		window.addEventListener("pagehide", () => this.#leave());
		window.addEventListener("pageshow", ({ persisted }) => persisted && this.#returnFromCache());
		on("sign-in-wanted", () => this.#end("signed-out"));
		on("renewed", () => {
			this.#setConnection("online"); // so that the end of this session is reported, too
			this.#heartbeat.start();
		});
		on("activity", (detail) => {
			Object.assign(this.#tabState, detail);
			soon();
		});
	}

	#leave() {
		clearTimeout(this.#check);
		this.#stream.stop();
		if (!this.#heartbeat.isRunning) return;
		this.#heartbeat.stop();
		api.leave(this.page, this.#tabId).catch(() => {}); // the page is gone, so no component can show the error
	}

	/** Start again: after the back button, users who are on the page already cause no joins. */
	#returnFromCache() {
		this.#roster = UNKNOWN;
		this.#heartbeat.start();
	}

	/** Return what the next heartbeat reports, at the moment of sending. */
	#reportedState() {
		const tab = { page_identifier: this.page, tab_id: this.#tabId, visible: !document.hidden };
		const state = this.isAsking ? VIEWING : openForm();
		return { ...tab, ...this.#tabState, ...state, stream: this.#stream.number };
	}

	/** @param {api.PresenceResponse} response to a heartbeat */
	#handleResponse(response) {
		this.#hasTriedToRenew = false;
		if (this.#connection !== "online") this.#stream.reconnectNow();
		this.#setConnection("online");
		this.#holdStream();
		this.#handleRoster(response);
		if (!this.#stream.isLive && !document.hidden) this.#drafts.follow(response.drafts);
	}

	/** A heartbeat has reported the tab's state first: if its stream simply ended, the server would expire the tab. */
	#holdStream() {
		if (document.hidden && !this.#tabState.waiting) this.#stream.stop();
		else if (this.#heartbeat.isRunning) this.#stream.start();
	}

	/**
	 * Responses to heartbeats and events of the stream have the same content, and may overtake each other.
	 * @param {api.PresenceResponse} response
	 */
	#handleRoster({ heartbeat_seconds, read_at, users, version }) {
		const crowdedMs = this.#stream.isCrowdedOut ? CROWDED_OUT_BEAT_MS : Number.POSITIVE_INFINITY;
		this.#heartbeat.heartbeatMs = Math.min(heartbeat_seconds * 1000, this.#maxIntervalMs, crowdedMs);
		this.#handleVersion({ version });
		if (api.isOvertaken(read_at, this.#readAt)) return;
		this.#readAt = read_at;
		this.#update(users);
	}

	/** @param {{version: number|null}} response */
	#handleVersion({ version }) {
		if (version !== null && version > Number(this.dataset.version)) fire("saved", { version });
	}

	/** @param {User[]} users */
	#update(users) {
		this.#users = users;
		const now = Date.now();
		const activeWindowMs = Number(this.dataset.activeWindowSeconds) * 1000;
		const context = { now, myId: myId(), heartbeatMs: this.#heartbeat.heartbeatMs, activeWindowMs };
		const { roster, joined, left } = syncRoster(this.#roster, users, context);
		this.#roster = roster;
		for (const user of joined) fire("join", { user });
		for (const user of left) fire("leave", { user });
		fire("roster", { users, others: this.others, isSettled: this.isSettled });
		clearTimeout(this.#check);
		const ms = checkAt(roster) - now;
		if (ms < Number.POSITIVE_INFINITY) this.#check = setTimeout(() => this.#checkMissing(), ms);
	}

	/** If the stream works, a missing user who has returned is in the roster already. Otherwise ask the server. */
	#checkMissing() {
		if (this.#stream.isLive) this.#update(this.#users);
		else this.#heartbeat.beat();
	}

	/** @param {import("../../lib/http.js").HttpError} error */
	#handleFailure({ status }) {
		if (status === 401) this.#end("signed-out");
		else if (status === 404) this.#end("gone");
		else if (status === 403 && !this.#hasTriedToRenew) this.#renew();
		else this.#setConnection("reconnecting");
	}

	/** Renew the CSRF token, which belongs to an earlier session if the user has signed in again in another tab. */
	async #renew() {
		this.#hasTriedToRenew = true;
		this.#heartbeat.stop();
		const { state } = await renewSession();
		if (state === "signed-out" || state === "other-user") this.#end("signed-out");
		else if (state === "renewed") fire("renewed");
		else this.#heartbeat.start();
	}

	/** @param {"signed-out"|"gone"} state */
	#end(state) {
		clearTimeout(this.#check);
		this.#stream.stop();
		this.#heartbeat.stop();
		this.#drafts.clear();
		this.#setConnection(state);
	}

	/** @param {ConnectionState} state */
	#setConnection(state) {
		if (state === this.#connection) return;
		this.#connection = state; // before the event, whose listeners may report the same
		fire("connection", { state });
	}
}
