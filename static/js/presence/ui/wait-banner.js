/**
 * <wait-banner>: the banner of a user who waits for the others to finish. It says who is in front and what they do.
 * When no user is in front, it opens the editor on fresh data. Users take turns in the order in which they started to
 * wait. The banner follows each roster of the page, at least every 30 s, and goes on waiting through an outage.
 *
 * Listens: `portal:wait`, `portal:roster`, `portal:connection`, `portal:activity`.
 * Markup:  templates/presence/_wait_banner.html, inside <presence-page>.
 *
 * @example <wait-banner hidden><button data-stop>Stop waiting</button></wait-banner>
 */
import { on } from "../../lib/events.js";
import { createElement, makeScrollable, query, queryAll, setText } from "../../lib/dom.js";
import { HttpError } from "../../lib/http.js";
import { timeNow } from "../../lib/time-now.js";
import { myId } from "../../session/session.js";
import { announce } from "../../lib/page-title.js";
import { renderAvatar } from "./avatar.js";
import { leaveNote } from "../../lib/tab-notes.js";
import { leaveAnswer, withProceeded } from "../sync/answered.js";
import { usersAhead, isWaiting } from "../sync/wait-queue.js";
import { withoutMe } from "../sync/roster.js";
import { askedSecondsAgo, askedText, inFrontText, inOrderOfTurn, waitingText } from "./queue-wording.js";

/** @typedef {import("../sync/roster.js").User} User */

const ASK_EVERY_MS = 30_000;
// A user who only reloads the page is back within this time, and the banner warns before the editor opens.
const FREE_FOR_MS = 2000;
const ASK_TIMEOUT_MS = 2000;
// The server refuses another request before this (NUDGE_INTERVAL_SECONDS).
const ASK_AGAIN_SECONDS = 20;
/** @type {Record<number, string>} by status; 422: the server does not know yet, or no longer, that this page waits */
const NOT_ASKED = { 422: "Not asked yet: please try again in a moment", 429: "Already asked" };

class WaitBanner extends HTMLElement {
	/** @type {string|null} the editor; null while the user does not wait */
	#href = null;
	#trouble = "";
	/** the version of the record that the user knew when the wait began */
	#since = "";
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	#freeTimer;
	/** @type {ReturnType<typeof setInterval>|undefined} */
	#clock;
	/** @type {string|undefined} the server's time of the user's request to finish, and this browser's */
	#askedAt;
	#askedAtMs = 0;
	/** Whether a user in front can be asked. Users who only wait cannot. */
	#canAsk = false;
	/** @type {Map<number, string>} when this page received a user's answer, by id; "" if before the wait */
	#answeredAt = new Map();
	#asked = query(this, "[data-asked]", HTMLElement);
	#askButton = query(this, "[data-ask]", HTMLButtonElement);

	connectedCallback() {
		on("wait", ({ href }) => this.#start(href));
		on("roster", (detail) => this.#href && this.#handleRoster(detail));
		on("activity", ({ activity }) => activity === "editing" && this.#href && this.#stop());
		on("connection", ({ state }) => {
			if (state === "gone") this.#stop();
			this.#trouble = state === "online" ? "" : "Reconnecting – still waiting";
			this.#note("");
		});
		this.#listen("[data-stop]", () => {
			this.#stop();
			this.#page.beat();
		});
		this.#listen("[data-proceed]", () => this.#open(withProceeded(this.#href ?? "")));
		this.#listen("[data-ask]", () => this.#ask());
	}

	/**
	 * @param {string} button
	 * @param {() => void} listener
	 */
	#listen(button, listener) {
		query(this, button, HTMLButtonElement).addEventListener("click", listener);
	}

	/** @param {string} href */
	#start(href) {
		this.#href = href;
		this.#since = this.#page.dataset.version ?? "";
		this.hidden = false;
		this.#note("");
		this.#answeredAt = new Map(this.#page.others.filter(({ answer }) => answer).map(({ id }) => [id, ""]));
		this.#setAsked(undefined);
		this.#draw(this.#page.users, usersAhead(this.#page.conflicting(this.#page.others)));
		this.#clock = setInterval(() => this.#drawAsked(), 1000);
		announce("waiting", "Waiting");
		this.#page.setState({ waiting: true });
		this.#page.beatAtLeastEvery(ASK_EVERY_MS);
		this.#page.beat();
	}

	#stop() {
		this.#href = null;
		this.hidden = true;
		announce("waiting", "");
		clearInterval(this.#clock);
		clearTimeout(this.#freeTimer);
		this.#freeTimer = undefined;
		this.#page.setState({ waiting: false });
		this.#page.beatAtLeastEvery(Number.POSITIVE_INFINITY);
	}

	/** @param {{users: User[], others: User[], isSettled: boolean}} detail */
	#handleRoster({ users, others, isSettled }) {
		const me = users.find(({ id }) => id === myId());
		const isFree = isSettled && this.#usersAhead(users).length === 0;
		const front = usersAhead(this.#page.conflicting(others), me);
		this.#setAsked(me);
		this.#draw(users, front);
		if (!isFree) {
			clearTimeout(this.#freeTimer);
			this.#freeTimer = undefined;
		} else this.#freeTimer ??= setTimeout(() => this.#confirm(), FREE_FOR_MS);
		if (isFree) this.#note("Free – opening the editor");
		else if (!front.length) this.#note("Reconnected – checking who is still here");
		else this.#note("Still in use – checked just now");
	}

	/** @param {User[]} users as the server sent them */
	#usersAhead(users) {
		const me = users.find(({ id }) => id === myId());
		return usersAhead(this.#page.conflicting(withoutMe(users, myId())), me);
	}

	/** Open the editor unless a user has come meanwhile. Without a response, the next roster decides. */
	async #confirm() {
		const users = await this.#page.fetchViewers(ASK_TIMEOUT_MS);
		this.#freeTimer = undefined;
		if (!users || !this.#href || !this.#page.isSettled) return;
		if (this.#usersAhead(users).length) return;
		leaveNote("turn", this.#page.page, this.#since);
		this.#open(this.#href);
	}

	/**
	 * Open the editor, which does not ask again.
	 * @param {string} href
	 */
	#open(href) {
		leaveAnswer(this.#page.page);
		location.assign(href);
		this.#stop();
	}

	/** Ask the others to finish, which the server allows every 20 s. The next roster shows the result. */
	async #ask() {
		try {
			await this.#page.nudge();
		} catch (error) {
			const known = error instanceof HttpError && NOT_ASKED[error.status];
			this.#note(known || "Not asked: the portal cannot be reached");
		}
	}

	/**
	 * @param {User[]} users on the page
	 * @param {User[]} front the users for whom this user waits
	 */
	#draw(users, front) {
		const parts = waitingText(front);
		const sentence = query(this, "[data-sentence]", HTMLElement);
		// Screen readers announce each change, so the sentence changes only if its text differs.
		if (sentence.textContent !== parts.join("")) {
			sentence.replaceChildren(...parts.map((text, i) => (i % 2 ? createElement("b", {}, text) : text)));
		}
		this.#drawFront(users, inOrderOfTurn(front));
		this.#canAsk = !front.every(isWaiting);
		this.#drawAsked();
	}

	/**
	 * Draw everybody in front. Each user keeps their item, so that screen readers announce only what changes.
	 * @param {User[]} users
	 * @param {User[]} front
	 */
	#drawFront(users, front) {
		const list = query(this, "ul", HTMLElement);
		const shown = /** @type {HTMLElement[]} */ ([...list.children]);
		const items = front.map((user) => {
			const item = shown.find(({ dataset }) => dataset.id === `${user.id}`) ?? newItem(user.id);
			const [avatar, text] = queryAll(item, "span", HTMLElement);
			renderAvatar(avatar, user);
			setText(text, inFrontText(user, users, this.#timeOfAnswer(user)));
			return item;
		});
		if (items.length !== shown.length || items.some((item, i) => item !== shown[i]))
			list.replaceChildren(...items);
		list.hidden = !items.length;
		makeScrollable(query(this, ".front", HTMLElement));
	}

	/**
	 * Return when this page received the user's answer, "10:42".
	 * @param {User} user
	 */
	#timeOfAnswer({ id, answer }) {
		if (!answer) this.#answeredAt.delete(id);
		else if (!this.#answeredAt.has(id)) this.#answeredAt.set(id, timeNow());
		return this.#answeredAt.get(id);
	}

	/** @param {User|undefined} me as the server sent it */
	#setAsked(me) {
		if (this.#askedAt === me?.asked_at) return;
		this.#askedAt = me?.asked_at;
		if (me?.asked_at) this.#askedAtMs = Date.now() - askedSecondsAgo(me) * 1000;
	}

	/** Show how long ago the user has asked, instead of the button while the server would refuse to ask again. */
	#drawAsked() {
		const seconds = (Date.now() - this.#askedAtMs) / 1000;
		const isHidden = !this.#canAsk || (this.#askedAt !== undefined && seconds < ASK_AGAIN_SECONDS);
		this.#asked.hidden = this.#askedAt === undefined;
		setText(this.#asked, askedText(seconds));
		if (isHidden && !this.#asked.hidden && document.activeElement === this.#askButton) this.#asked.focus();
		this.#askButton.hidden = isHidden;
		setText(this.#askButton, this.#askedAt === undefined ? "Ask to finish" : "Ask again");
	}

	/** @param {string} text */
	#note(text) {
		setText(query(this, "[data-note]", HTMLElement), this.#trouble || text);
	}

	get #page() {
		return /** @type {import("../sync/page.js").PresencePage} */ (this.closest("presence-page"));
	}
}

/** @param {number} id of the user */
function newItem(id) {
	const item = createElement("li", {}, createElement("span", { ariaHidden: "true" }), createElement("span"));
	item.dataset.id = `${id}`;
	return item;
}

customElements.define("wait-banner", WaitBanner);
