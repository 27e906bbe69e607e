// @ts-check
/**
 * <presence-nudged>: tells who is here that somebody waits and has asked them to finish, and takes their answer. The roster
 * carries both, so they arrive without the stream too. Who is done leaves the editor, and from then on holds nobody up.
 *
 * Reads:  data-label ("client record"). Markup: templates/presence/_nudge_banner.html, inside <presence-page>.
 * Hears:  `portal:roster` {users, others}, `portal:nudge`. Fires: `portal:finish`, upon which an editor is left (form.js),
 *         `portal:news` {text} where waiting has come to its end in this editor.
 */
import { fire, on } from "../../lib/events.js";
import { showOnly, write } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { announce } from "../../lib/page-title.js";
import { dressAvatar } from "./avatar.js";
import { leaveNote, takeNote } from "../../lib/tab-notes.js";
import { inFront, inTurn } from "../sync/wait-queue.js";
import { nudged } from "./wording.js";

class PresenceNudged extends HTMLElement {
	/** @type {"soon"|"done"|null} */
	#answer = null;
	/** when they were last asked, and when they had been as they answered */
	#askedAt = "";
	#answeredAt = "";
	#news = "";

	connectedCallback() {
		on("roster", ({ users, others }) => this.#heard(users, others));
		on("nudge", () => this.animate({ opacity: [0.3, 1] }, 600));
		for (const button of this.querySelectorAll("button"))
			button.addEventListener("click", () => this.#clicked(button.value));
		const { page } = this.#page.dataset;
		if (takeNote("done", page) && !this.#isEditor) this.#say("done");
		if (takeNote("turn", page) && this.#isEditor) {
			announce("turn", "Your turn", { once: true });
			fire("news", { text: `This ${this.dataset.label} is free: you are editing it now.` });
		}
		if (this.#page.users.length) this.#heard(this.#page.users, this.#page.others);
	}

	#clicked(answer) {
		this.#say(answer);
		if (answer !== "done" || !this.#isEditor) return;
		leaveNote("done", this.#page.dataset.page);
		fire("finish");
	}

	/** Only for whom the one who asks is waiting: not for somebody who waits behind them. */
	#heard(users, others) {
		const waiting = inTurn(others);
		const me = users.filter(({ id }) => id === myId());
		const asking = waiting.filter((user) => user.asked_at && inFront(me, user).length);
		if (waiting.length === 0 && this.#answer) this.#say(null);
		this.#askedAt =
			asking
				.map(({ asked_at }) => asked_at)
				.toSorted()
				.at(-1) ?? "";
		if (asking.length) {
			dressAvatar(this.querySelector(".avatar"), asking[0]);
			write(this.querySelector("[data-sentence]"), nudged(asking, this.dataset.label));
		}
		this.#draw();
	}

	#say(answer) {
		this.#answer = answer;
		this.#answeredAt = this.#askedAt;
		this.#page.say({ answer });
		this.#page.beat();
		this.#draw();
	}

	#draw() {
		const isAnswered = this.#answer !== null && this.#askedAt <= this.#answeredAt;
		this.hidden = !this.#askedAt || (this.#answer === "done" && !this.#isEditor);
		showOnly(this, "when", isAnswered ? "answered" : this.#isEditor ? "editing" : "");
		const news = this.hidden || isAnswered ? "" : "Somebody is waiting";
		if (news !== this.#news) announce("nudged", news);
		this.#news = news;
	}

	get #isEditor() {
		return this.#page.dataset.activity === "editing";
	}

	get #page() {
		return /** @type {import("../sync/page.js").PresencePage} */ (this.closest("presence-page"));
	}
}

customElements.define("presence-nudged", PresenceNudged);
