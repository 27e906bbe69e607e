// @ts-check
/**
 * <presence-waiting>: the banner of somebody who waits for the others to finish, in the order of asking when several do; opens
 * the editor then, on fresh data. It reads every roster the page receives, one at least every 30 s, and goes on waiting
 * through an outage.
 *
 * Reads:  data-label ("client record"). Markup: templates/presence/_wait_banner.html, inside <presence-page>.
 * Hears:  `portal:wait` {href}, `portal:roster` {users, others, isSettled}, `portal:connection` {state}.
 */
import { on } from "../../lib/events.js";
import { make, write } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { announce } from "../../lib/page-title.js";
import { dressAvatar } from "./avatar.js";
import { leaveNote } from "../../lib/tab-notes.js";
import { inFront, waits } from "../sync/wait-queue.js";
import { withoutMe } from "../sync/roster.js";
import { editorsFirst, waitingFor } from "./wording.js";

const ASK_EVERY_MS = 30_000;
// Whoever only reloads is back by then; and nobody's hands are pulled into an editor without a warning.
const FREE_FOR_MS = 2000;
const ASK_TIMEOUT_MS = 2000;
// By status: 422 is a page that the server does not know to be waiting yet, or no more.
const NOT_ASKED = { 422: "Not asked yet: please try again in a moment", 429: "You have asked only just now" };

export class PresenceWaiting extends HTMLElement {
	/** @type {string|null} the editor; null when not waiting */
	#href = null;
	#trouble = "";
	#free;
	#stopButton = this.querySelector("[data-stop]");
	#askButton = /** @type {HTMLElement} */ (this.querySelector("[data-ask]"));

	connectedCallback() {
		on("wait", ({ href }) => this.#start(href));
		on("roster", (detail) => this.#href && this.#heard(detail));
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

	#start(href) {
		this.#href = href;
		this.hidden = false;
		this.#note("");
		this.#draw(this.#page.others);
		announce("waiting", "Waiting");
		this.#page.say({ waiting: true });
		this.#page.beatAtLeastEvery(ASK_EVERY_MS);
		this.#page.beat();
	}

	#stop() {
		this.#href = null;
		this.hidden = true;
		announce("waiting", "");
		clearTimeout(this.#free);
		this.#free = undefined;
		this.#page.say({ waiting: false });
		this.#page.beatAtLeastEvery(Number.POSITIVE_INFINITY);
	}

	#heard({ users, others, isSettled }) {
		const me = users.find(({ id }) => id === myId());
		const isFree = isSettled && inFront(withoutMe(users, myId()), me).length === 0;
		this.#draw(inFront(others, me));
		if (!isFree) {
			clearTimeout(this.#free);
			this.#free = undefined;
		} else this.#free ??= setTimeout(() => this.#confirm(), FREE_FOR_MS);
		if (isFree) this.#note("Free – opening the editor");
		else if (!others.length) this.#note("Reconnected – checking who is still here");
		else this.#note(me?.asked_at ? "Asked to finish" : "Still in use – checked just now");
	}

	/** Nobody has come meanwhile, as far as the server knows at this moment; without an answer the next roster decides. */
	async #confirm() {
		const users = await this.#page.ask(ASK_TIMEOUT_MS);
		this.#free = undefined;
		if (!users || !this.#href || !this.#page.isSettled) return;
		const me = users.find(({ id }) => id === myId());
		if (inFront(withoutMe(users, myId()), me).length) return;
		leaveNote("turn", this.#page.dataset.page);
		location.assign(this.#href);
		this.#stop();
	}

	/** What came of it the next roster says, unless nothing did. The server allows it every 20 seconds. */
	async #ask() {
		try {
			await this.#page.nudge();
		} catch ({ status }) {
			this.#note(NOT_ASKED[status] ?? "Not asked: the portal cannot be reached");
		}
	}

	/** @param {import("../sync/roster.js").User[]} front */
	#draw(front) {
		const [first] = editorsFirst(front);
		if (first) dressAvatar(this.querySelector(".avatar"), first);
		this.#askButton.hidden = front.every(waits);
		const pieces = waitingFor(front, this.dataset.label);
		const sentence = this.querySelector("[data-sentence]");
		// It is announced: touched only when it says something new.
		if (sentence.textContent !== pieces.join("")) {
			sentence.replaceChildren(...pieces.map((text, i) => (i % 2 ? make("b", {}, text) : text)));
		}
	}

	#note(text) {
		write(this.querySelector("[data-note]"), this.#trouble || text);
	}

	get #page() {
		return /** @type {import("../sync/page.js").PresencePage} */ (this.closest("presence-page"));
	}
}
