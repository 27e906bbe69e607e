// @ts-check
/**
 * <presence-connection>: a quiet note while the portal cannot be reached; the dialog of somebody whose sign-in session has
 * ended, with the record behind it hidden until they have signed in again in a new tab; and what is left of a page whose
 * record is lost (lost-access.js).
 *
 * Markup: templates/presence/_connection.html.
 * Hears:  `portal:connection` {state}, `portal:sign-in-wanted` (a form sent while signed out), `portal:access-lost`
 *         {mayRead} (a form sent by somebody who may no longer save it). Fires: `portal:renewed`.
 */
import { fire, on } from "../../lib/events.js";
import { showOnly, write } from "../../lib/dom.js";
import { renewSession } from "../../session/session.js";
import { pageTitle, retitle } from "../../lib/page-title.js";

export class PresenceConnection extends HTMLElement {
	#state = "";
	#isAsking = false;
	#title = "";
	#dialog = this.querySelector("dialog");

	connectedCallback() {
		on("connection", ({ state }) => this.#become(state));
		on("sign-in-wanted", () => this.#become("signed-out"));
		on("access-lost", ({ mayRead }) => this.#lose(mayRead));
		this.#dialog.addEventListener("cancel", (event) => event.preventDefault()); // there is nothing behind it
		document.addEventListener("visibilitychange", () => this.#askAgain());
		window.addEventListener("focus", () => this.#askAgain());
	}

	#become(state) {
		this.#state = state;
		showOnly(this, "state", state);
		if (state === "signed-out") this.#shut();
		else this.#open();
		if (state === "gone") this.#lose(false);
	}

	/** Not behind a veil: whoever passes by reads nothing of the record, nor its name in the tab. */
	#shut() {
		if (!this.#dialog.open) {
			this.#dialog.showModal(); // first: it remembers where the focus was
			document.querySelector("main").classList.add("shut");
			this.#title = pageTitle();
			retitle("Signed out · Kingston’s Portal");
		}
		this.#askAgain(); // somebody else may be signed in already
	}

	#open() {
		if (!this.#dialog.open) return;
		document.querySelector("main").classList.remove("shut");
		retitle(this.#title);
		this.#dialog.close();
	}

	async #lose(mayRead) {
		try {
			const { showLost } = await import("./lost-access.js");
			await showLost(this.querySelector("[data-lost]"), { mayRead });
		} catch {
			document.querySelector("main").classList.add("shut"); // the portal is away: nothing is shown at least
		}
	}

	async #askAgain() {
		if (this.#state !== "signed-out" || document.hidden || this.#isAsking) return;
		this.#isAsking = true;
		const { state, name = "" } = await renewSession();
		this.#isAsking = false;
		showOnly(this.#dialog, "when", name ? "somebody-else" : "signed-out");
		write(this.querySelector("[data-name]"), name);
		if (state !== "renewed") return;
		this.#become("online");
		fire("renewed");
	}
}
