// @ts-check
/**
 * <presence-connection>: a quiet note while the portal cannot be reached, and the dialog of somebody whose sign-in session
 * has ended: one signs in again in a new tab, and back here goes on with everything typed still in place.
 *
 * Markup: templates/presence/_connection.html.
 * Hears:  `presence:connection` {state}, `presence:sign-in-wanted` (a form sent while signed out). Fires: `presence:renewed`.
 */
import { fire, on } from "../events.js";
import { showOnly, write } from "../markup.js";
import { renewSession } from "../session.js";

export class PresenceConnection extends HTMLElement {
	#state = "";
	#isAsking = false;
	#dialog = this.querySelector("dialog");

	connectedCallback() {
		on("connection", ({ state }) => this.#become(state));
		on("sign-in-wanted", () => this.#open());
		document.addEventListener("visibilitychange", () => this.#askAgain());
		window.addEventListener("focus", () => this.#askAgain());
		this.querySelector("[data-open]").addEventListener("click", () => this.#open());
		this.querySelector("[data-reload]").addEventListener("click", () => location.reload());
	}

	#become(state) {
		this.#state = state;
		showOnly(this, "state", state);
		if (state === "signed-out") this.#open();
		else this.#dialog.close();
	}

	#open() {
		if (!this.#dialog.open) this.#dialog.showModal();
		this.#askAgain(); // somebody else may be signed in already
	}

	async #askAgain() {
		if (this.#state !== "signed-out" || document.hidden || this.#isAsking) return;
		this.#isAsking = true;
		const { state, name = "" } = await renewSession();
		this.#isAsking = false;
		showOnly(this, "when", name ? "somebody-else" : "signed-out");
		write(this.querySelector("[data-name]"), name);
		if (state !== "renewed") return;
		this.#become("online");
		fire("renewed");
	}
}
