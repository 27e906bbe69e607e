/**
 * <presence-connection>: a note while the server cannot be reached; a dialog when the sign-in session has ended, with
 * the record hidden until the user has signed in again in a new tab; and the notice of lost access (lost-access.js).
 *
 * Listens: `portal:connection`; `portal:access-lost`, when the user has sent a form and may no longer save the record.
 * Fires:   `portal:renewed`.
 * Markup:  templates/presence/_connection.html.
 *
 * @example <presence-connection><p data-state="reconnecting" hidden>…</p><dialog>…</dialog></presence-connection>
 */
import { fire, on } from "../../lib/events.js";
import { query, showOnly, startAtTop, setText } from "../../lib/dom.js";
import { renewSession } from "../../session/session.js";
import { getTitle, setTitle } from "../../lib/page-title.js";

/** @typedef {import("../../lib/events.js").ConnectionState} ConnectionState */

const main = () => query(document, "main", HTMLElement);

export class PresenceConnection extends HTMLElement {
	/** @type {ConnectionState|""} */
	#state = "";
	#isChecking = false;
	#title = "";
	#dialog = query(this, "dialog", HTMLDialogElement);

	connectedCallback() {
		on("connection", ({ state }) => this.#setState(state));
		on("access-lost", ({ mayRead }) => this.#showLost(mayRead));
		// For browsers that do not know closedby="none": the record behind the dialog is hidden.
		this.#dialog.oncancel = () => false;
		document.addEventListener("visibilitychange", () => this.#checkSession());
		window.addEventListener("focus", () => this.#checkSession());
	}

	/** @param {ConnectionState} state */
	#setState(state) {
		this.#state = state;
		showOnly(this, "state", state);
		if (state === "signed-out") this.#hideRecord();
		else this.#showRecord();
		if (state === "gone") this.#showLost(false);
	}

	/** Hide the record and its name completely, so that people who pass the screen cannot read them. */
	#hideRecord() {
		if (!this.#dialog.open) {
			this.#dialog.showModal(); // before the focused element is hidden: the dialog remembers it
			startAtTop(this.#dialog);
			main().classList.add("record-hidden");
			this.#title = getTitle();
			setTitle("Signed out · Kingston’s Portal");
		}
		this.#checkSession(); // a user may have signed in again already
	}

	#showRecord() {
		if (!this.#dialog.open) return;
		main().classList.remove("record-hidden");
		setTitle(this.#title);
		this.#dialog.close();
	}

	/** @param {boolean} mayRead */
	async #showLost(mayRead) {
		try {
			const { showLost } = await import("./lost-access.js");
			await showLost(query(this, "[data-lost]", HTMLTemplateElement), { mayRead });
		} catch {
			main().classList.add("record-hidden"); // the server cannot be reached: hide the record at least
		}
	}

	async #checkSession() {
		if (this.#state !== "signed-out" || document.hidden || this.#isChecking) return;
		this.#isChecking = true;
		const { state, name = "" } = await renewSession();
		this.#isChecking = false;
		showOnly(this.#dialog, "when", name ? "other-user" : "signed-out");
		setText(query(this, "[data-name]", HTMLElement), name);
		if (state !== "renewed") return;
		this.#setState("online");
		fire("renewed");
	}
}
