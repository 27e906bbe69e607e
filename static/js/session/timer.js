/**
 * <session-timer>: asks shortly before the sign-in session ends whether the user is still there. Keys and clicks extend
 * the session, with at most one call in five minutes. Requests that the page sends by itself do not.
 *
 * Reads:   data-seconds-idle and data-seconds-left, as the server knew them at data-since (ms).
 * Listens: `portal:renewed`, after the user has signed in again elsewhere.
 * Markup:  templates/auth/_session_timer.html. entry/every-page.js imports this module some minutes after the page
 *          opened.
 *
 * @example <session-timer data-seconds-idle="1800" data-seconds-left="28800"><dialog>…</dialog></session-timer>
 */
import { on } from "../lib/events.js";
import { call, HttpError } from "../lib/http.js";
import { query, showOnly, startAtTop, setText } from "../lib/dom.js";
import { announcement, countdown, lifeAt } from "./remaining-time.js";

/** @typedef {import("./remaining-time.js").LifeState} LifeState */

const RENEW_EVERY_MS = 300_000;
// While the dialog is open: the user may have answered it in another tab.
const CHECK_EVERY_MS = 10_000;
const SIGNED_OUT = 401;

class SessionTimer extends HTMLElement {
	#life = { idleAt: 0, limitAt: 0 };
	#checkedAt = Date.now();
	#msDrawn = Number.POSITIVE_INFINITY;
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	#timeout;
	#dialog = query(this, "dialog", HTMLDialogElement);

	connectedCallback() {
		const { secondsIdle, secondsLeft, since } = this.dataset;
		this.#update({ seconds_idle: Number(secondsIdle), seconds_left: Number(secondsLeft) }, Number(since));
		const extend = () =>
			!this.#dialog.open && Date.now() - this.#checkedAt > RENEW_EVERY_MS && this.#extend();
		for (const type of ["keydown", "pointerdown"]) document.addEventListener(type, extend, true);
		document.addEventListener("visibilitychange", () => this.#look());
		this.#dialog.addEventListener("close", () => this.#dialog.returnValue === "stay" && this.#extend());
		on("renewed", () => this.#fetch("GET"));
	}

	/** @param {{seconds_idle: number, seconds_left: number}} session */
	#update({ seconds_idle, seconds_left }, at = Date.now()) {
		this.#checkedAt = at;
		this.#life = { idleAt: at + seconds_idle * 1000, limitAt: at + seconds_left * 1000 };
		this.#look();
	}

	#extend() {
		this.#checkedAt = Date.now();
		return this.#fetch("POST");
	}

	/**
	 * Use what the server says; without a response, what the page knows.
	 * @param {"GET"|"POST"} method
	 */
	async #fetch(method) {
		try {
			this.#update(await call(method, "/session"));
		} catch (error) {
			const isSignedOut = error instanceof HttpError && error.status === SIGNED_OUT;
			if (isSignedOut) this.#life = { idleAt: 0, limitAt: 0 };
			this.#look(isSignedOut);
		}
	}

	#look(isConfirmed = false) {
		clearTimeout(this.#timeout);
		const now = Date.now();
		const { state, msLeft, lookAgainMs } = lifeAt(this.#life, now);
		// <presence-page> has a dialog of its own for the end of the session.
		const hasPresence = document.querySelector("presence-page");
		if (state !== "quiet" && !isConfirmed && now - this.#checkedAt > CHECK_EVERY_MS) return this.#check();
		if (state === "quiet" || (state === "ended" && hasPresence)) this.#dialog.close();
		else this.#draw(state, msLeft);
		if (state !== "ended") this.#timeout = setTimeout(() => this.#look(), Math.min(lookAgainMs, 2 ** 31 - 1));
	}

	/** Another tab, or this one before it slept, may have extended the session. */
	#check() {
		this.#checkedAt = Date.now();
		this.#fetch("GET");
	}

	/**
	 * @param {LifeState} state
	 * @param {number} msLeft
	 */
	#draw(state, msLeft) {
		showOnly(this, "when", state);
		setText(query(this, "[data-countdown]", HTMLElement), countdown(msLeft));
		const text = announcement(msLeft, this.#msDrawn);
		this.#msDrawn = msLeft;
		if (text) setText(query(this, "[role=status]", HTMLElement), text);
		if (this.#dialog.open) return;
		this.#dialog.returnValue = "";
		this.#dialog.showModal();
		startAtTop(this.#dialog);
	}
}

customElements.define("session-timer", SessionTimer);
