/**
 * <nudge-banner>: tells the user that a user who waits has asked them to finish, and sends their answer. The roster
 * carries both, so they arrive without the event stream too. Who answers "done" leaves the editor, and is no longer
 * waited for. In the editor, it also loads the message to a user who has waited, and whose turn has come (turn.js).
 *
 * Reads:   data-label ("client record").
 * Listens: `portal:roster`, `portal:nudge`.
 * Fires:   `portal:finish`, after which form.js saves and leaves the editor.
 * Markup:  templates/presence/_nudge_banner.html, on a page with <presence-page>: in it, or in the save bar of an editor.
 *
 * @example <nudge-banner data-label="client record" hidden><button value="done">Done</button></nudge-banner>
 */
import { fire, on } from "../../lib/events.js";
import { query, queryAll, showOnly, setText } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { holdStill } from "../../lib/hold-still.js";
import { announce } from "../../lib/page-title.js";
import { focusHeading } from "../../lib/kept-focus.js";
import { renderAvatar } from "./avatar.js";
import { leaveNote, takeNote } from "../../lib/tab-notes.js";
import { usersAhead, inWaitingOrder } from "../sync/wait-queue.js";
import { handOverText, nudgeText } from "./wording.js";

/** @typedef {import("../sync/roster.js").User} User */
/** @typedef {"soon"|"done"|null} Answer */

const HAND_OVER = ["Save and hand over", "Saves what you have changed and leaves the editor"];
const DONE = ["Done", "You only look on: others may edit"];

class NudgeBanner extends HTMLElement {
	/** @type {Answer} */
	#answer = null;
	/** when the user was last asked, and the value of #askedAt at the answer */
	#askedAt = "";
	#answeredAt = "";
	#announced = "";
	#isSetUp = false;

	/** A card that is edited in its place takes the banner into its form. */
	connectedCallback() {
		if (this.#isSetUp) return;
		this.#isSetUp = true;
		on("roster", ({ users, others }) => this.#handleRoster(users, others));
		on("nudge", () => this.animate({ opacity: [0.3, 1] }, 600));
		for (const button of queryAll(this, "button", HTMLButtonElement))
			button.addEventListener("click", () => this.#handleClick(/** @type {Answer} */ (button.value)));
		const { page } = this.#page;
		if (takeNote("done", page) !== null && !this.#isEditor) {
			this.#setAnswer("done");
			// The browser focuses the message of a save, but possibly later.
			if (document.activeElement === document.body && !document.querySelector("[autofocus].flash"))
				focusHeading();
		}
		const since = takeNote("turn", page);
		if (since !== null && this.#isEditor)
			import("./turn.js").then(({ announceTurn }) => announceTurn(this.#page, since));
		if (this.#page.users.length) this.#handleRoster(this.#page.users, this.#page.others);
	}

	/** @param {Answer} answer */
	#handleClick(answer) {
		this.#setAnswer(answer);
		if (answer !== "done" || !this.#isEditor) return;
		leaveNote("done", this.#page.page);
		fire("finish");
	}

	/**
	 * Show who has asked, except users who wait behind this user and so do not wait for them.
	 * @param {User[]} users
	 * @param {User[]} others
	 */
	#handleRoster(users, others) {
		const waiting = inWaitingOrder(others);
		const me = this.#page.conflicting(users.filter(({ id }) => id === myId()));
		const asking = waiting.filter((user) => user.asked_at && usersAhead(me, user).length);
		if (waiting.length === 0 && this.#answer) this.#setAnswer(null);
		this.#askedAt =
			asking
				.map(({ asked_at = "" }) => asked_at)
				.toSorted()
				.at(-1) ?? "";
		if (asking.length) {
			const text = this.#isEditor ? handOverText : nudgeText;
			renderAvatar(query(this, ".avatar", HTMLElement), asking[0]);
			setText(query(this, "[data-sentence]", HTMLElement), text(asking, this.dataset.label ?? ""));
		}
		this.#draw();
	}

	/** @param {Answer} answer */
	#setAnswer(answer) {
		this.#answer = answer;
		this.#answeredAt = this.#askedAt;
		this.#page.setState({ answer });
		this.#page.beat();
		this.#draw();
	}

	#draw() {
		const isAnswered = this.#answer !== null && this.#askedAt <= this.#answeredAt;
		holdStill(() => {
			this.hidden = !this.#askedAt || (this.#answer === "done" && !this.#isEditor);
			showOnly(this, "when", isAnswered ? "answered" : this.#isEditor ? "editing" : "");
			const done = query(this, '[value="done"]', HTMLButtonElement);
			const [text, title] = this.#isEditor ? HAND_OVER : DONE;
			setText(done, text);
			done.title = title;
		});
		const text = this.hidden || isAnswered ? "" : "A user is waiting";
		if (text !== this.#announced) announce("nudged", text);
		this.#announced = text;
	}

	get #isEditor() {
		return this.#page.dataset.activity === "editing";
	}

	get #page() {
		return /** @type {import("../sync/page.js").PresencePage} */ (document.querySelector("presence-page"));
	}
}

customElements.define("nudge-banner", NudgeBanner);
