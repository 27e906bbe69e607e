// @ts-check
/**
 * <session-timer>: asks shortly before the sign-in session ends whether somebody is still there. Keys and clicks are
 * somebody: they keep the session alive by themselves, at most one call in five minutes. What the page does by itself is not.
 *
 * Reads:  data-seconds-idle, data-seconds-left as the server knew them at data-since, in ms. Markup:
 *         templates/auth/_session_timer.html. main.js imports it some minutes after the page was opened.
 * Hears:  `presence:renewed` after signing in again elsewhere.
 */
import { on } from "../lib/events.js";
import { call } from "../lib/http.js";
import { showOnly, write } from "../lib/dom.js";
import { announcement, countdown, lifeAt } from "./remaining-time.js";

const RENEW_EVERY_MS = 300_000;
const ASK_EVERY_MS = 10_000; // while the question stands: it may have been answered in another tab
const SIGNED_OUT = 401;

class SessionTimer extends HTMLElement {
	#life = { idleAt: 0, limitAt: 0 };
	#heardAt = Date.now();
	#next;
	#dialog = this.querySelector("dialog");

	connectedCallback() {
		const { secondsIdle, secondsLeft, since } = this.dataset;
		this.#take({ seconds_idle: Number(secondsIdle), seconds_left: Number(secondsLeft) }, Number(since));
		const notice = () => !this.#dialog.open && Date.now() - this.#heardAt > RENEW_EVERY_MS && this.#stay();
		for (const type of ["keydown", "pointerdown"]) document.addEventListener(type, notice, true);
		document.addEventListener("visibilitychange", () => this.#look());
		this.#dialog.addEventListener("close", () => this.#dialog.returnValue === "stay" && this.#stay());
		on("renewed", () => this.#hear("GET"));
	}

	#take({ seconds_idle, seconds_left }, at = Date.now()) {
		this.#heardAt = at;
		this.#life = { idleAt: at + seconds_idle * 1000, limitAt: at + seconds_left * 1000 };
		this.#look();
	}

	#stay() {
		this.#heardAt = Date.now();
		return this.#hear("POST");
	}

	/** What the server says counts; without an answer, what is known. */
	async #hear(method) {
		try {
			this.#take(await call(method, "/session"));
		} catch ({ status }) {
			if (status === SIGNED_OUT) this.#life = { idleAt: 0, limitAt: 0 };
			this.#look(status === SIGNED_OUT);
		}
	}

	#look(isSure = false) {
		clearTimeout(this.#next);
		const now = Date.now();
		const { state, msLeft, lookAgainMs } = lifeAt(this.#life, now);
		const isPresent = document.querySelector("presence-page"); // which has a dialog of its own for the end
		if (state !== "quiet" && !isSure && now - this.#heardAt > ASK_EVERY_MS) return this.#ask();
		if (state === "quiet" || (state === "ended" && isPresent)) this.#dialog.close();
		else this.#draw(state, msLeft);
		if (state !== "ended") this.#next = setTimeout(() => this.#look(), Math.min(lookAgainMs, 2 ** 31 - 1));
	}

	/** Another tab, or this one before it slept, may have prolonged the session. */
	#ask() {
		this.#heardAt = Date.now();
		this.#hear("GET");
	}

	#draw(state, msLeft) {
		showOnly(this, "when", state);
		write(this.querySelector("[data-countdown]"), countdown(msLeft));
		const said = announcement(msLeft);
		if (said) write(this.querySelector("[role=status]"), said);
		if (this.#dialog.open) return;
		this.#dialog.returnValue = "";
		this.#dialog.showModal();
	}
}

customElements.define("session-timer", SessionTimer);
