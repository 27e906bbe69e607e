/**
 * <wait-banner>: the banner of a user who waits for the others to finish. When no user is in front of them, it
 * opens the editor on fresh data. Users take turns in the order in which they started to wait. The banner follows each
 * roster of the page, at least every 30 s, and goes on waiting through an outage.
 *
 * Reads:   data-label ("client record").
 * Listens: `portal:wait`, `portal:roster`, `portal:connection`.
 * Markup:  templates/presence/_wait_banner.html, inside <presence-page>.
 *
 * @example <wait-banner data-label="client record" hidden><button data-stop>Stop waiting</button></wait-banner>
 */
import { on } from "../../lib/events.js";
import { createElement, query, setText } from "../../lib/dom.js";
import { HttpError } from "../../lib/http.js";
import { myId } from "../../session/session.js";
import { announce } from "../../lib/page-title.js";
import { renderAvatar } from "./avatar.js";
import { leaveNote } from "../../lib/tab-notes.js";
import { usersAhead, isWaiting } from "../sync/wait-queue.js";
import { withoutMe } from "../sync/roster.js";
import { editorsFirst, waitingText } from "./wording.js";

/** @typedef {import("../sync/roster.js").User} User */

const ASK_EVERY_MS = 30_000;
// A user who only reloads the page is back within this time, and the banner warns before the editor opens.
const FREE_FOR_MS = 2000;
const ASK_TIMEOUT_MS = 2000;
/** @type {Record<number, string>} by status; 422: the server does not know yet, or no longer, that this page waits */
const NOT_ASKED = { 422: "Not asked yet: please try again in a moment", 429: "You have asked only just now" };

export class WaitBanner extends HTMLElement {
	/** @type {string|null} the editor; null while the user does not wait */
	#href = null;
	#trouble = "";
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	#freeTimer;
	#stopButton = query(this, "[data-stop]", HTMLButtonElement);
	#askButton = query(this, "[data-ask]", HTMLButtonElement);

	connectedCallback() {
		on("wait", ({ href }) => this.#start(href));
		on("roster", (detail) => this.#href && this.#handleRoster(detail));
		on("connection", ({ state }) => {
			if (state === "gone") this.#stop();
			this.#trouble = state === "online" ? "" : "Reconnecting – still waiting";
			this.#note("");
		});
		this.#stopButton.addEventListener("click", () => {
			this.#stop();
			this.#page.beat();
		});
		this.#askButton.addEventListener("click", () => this.#ask());
	}

	/** @param {string} href */
	#start(href) {
		this.#href = href;
		this.hidden = false;
		this.#note("");
		this.#draw(this.#page.others);
		announce("waiting", "Waiting");
		this.#page.setState({ waiting: true });
		this.#page.beatAtLeastEvery(ASK_EVERY_MS);
		this.#page.beat();
	}

	#stop() {
		this.#href = null;
		this.hidden = true;
		announce("waiting", "");
		clearTimeout(this.#freeTimer);
		this.#freeTimer = undefined;
		this.#page.setState({ waiting: false });
		this.#page.beatAtLeastEvery(Number.POSITIVE_INFINITY);
	}

	/** @param {{users: User[], others: User[], isSettled: boolean}} detail */
	#handleRoster({ users, others, isSettled }) {
		const me = users.find(({ id }) => id === myId());
		const isFree = isSettled && usersAhead(withoutMe(users, myId()), me).length === 0;
		this.#draw(usersAhead(others, me));
		if (!isFree) {
			clearTimeout(this.#freeTimer);
			this.#freeTimer = undefined;
		} else this.#freeTimer ??= setTimeout(() => this.#confirm(), FREE_FOR_MS);
		if (isFree) this.#note("Free – opening the editor");
		else if (!others.length) this.#note("Reconnected – checking who is still here");
		else this.#note(me?.asked_at ? "Asked to finish" : "Still in use – checked just now");
	}

	/** Open the editor unless a user has come meanwhile. Without a response, the next roster decides. */
	async #confirm() {
		const users = await this.#page.fetchViewers(ASK_TIMEOUT_MS);
		this.#freeTimer = undefined;
		if (!users || !this.#href || !this.#page.isSettled) return;
		const me = users.find(({ id }) => id === myId());
		if (usersAhead(withoutMe(users, myId()), me).length) return;
		leaveNote("turn", this.#page.page);
		location.assign(this.#href);
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

	/** @param {User[]} front the users for whom this user waits */
	#draw(front) {
		const [first] = editorsFirst(front);
		if (first) renderAvatar(query(this, ".avatar", HTMLElement), first);
		this.#askButton.hidden = front.every(isWaiting);
		const parts = waitingText(front, this.dataset.label ?? "");
		const sentence = query(this, "[data-sentence]", HTMLElement);
		// Screen readers announce each change, so the sentence changes only if its text differs.
		if (sentence.textContent !== parts.join("")) {
			sentence.replaceChildren(...parts.map((text, i) => (i % 2 ? createElement("b", {}, text) : text)));
		}
	}

	/** @param {string} text */
	#note(text) {
		setText(query(this, "[data-note]", HTMLElement), this.#trouble || text);
	}

	get #page() {
		return /** @type {import("../sync/page.js").PresencePage} */ (this.closest("presence-page"));
	}
}
