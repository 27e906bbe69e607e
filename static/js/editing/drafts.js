// @ts-check
/**
 * The draft of a form: what is typed goes to the server while it is typed, and when the page is hidden, left or signed out of.
 *
 * Reads:  data-draft-url of the form; data-draft-offered, the draft that waits for Restore or Discard, as JSON;
 *         data-draft-restored where the form shows the draft; its inputs `version`, `seen` and `draft`.
 *         [data-draft-offer] with its link and form; [data-draft-state] in the form, where it is to be shown; form[data-sign-out].
 * Hears:  `presence:renewed`, `presence:connection` {state}.
 */
import { on } from "../events.js";
import { call } from "../http.js";
import { showOnly } from "../markup.js";
import { renewSession } from "../session.js";
import { isChanged } from "./changes.js";
import { Keeper } from "./keeper.js";
import { together } from "./typed.js";

const LARGEST_KEEPALIVE_BYTES = 60_000; // of 64 KB that a browser lets outlive a page
const SIGN_OUT_WAITS_MS = 2000;

/** @param {HTMLFormElement} form @returns {Draft|null} null for a form whose values are not kept */
export const draftOf = (form) => (form.dataset.draftUrl ? new Draft(form) : null);

class Draft {
	#form;
	#earlier;
	#keeper;
	/** the fields that this tab has kept, and may take away again: another tab may have kept others */
	#mine = new Set();

	constructor(form) {
		this.#form = form;
		this.#earlier = JSON.parse(form.dataset.draftOffered || "null");
		const kept = "draftRestored" in form.dataset ? this.#read() : this.#earlier;
		this.#own(kept);
		const organs = {
			read: () => this.#read(),
			send: (draft) => this.#send(draft),
			onState: (state) => {
				for (const part of form.querySelectorAll("[data-draft-state]")) showOnly(part, "when", state);
			},
		};
		this.#keeper = new Keeper(organs, kept);
		this.#listen();
	}

	/** Whether leaving now loses nothing. */
	get isSafe() {
		const { isKept, isReaching } = this.#keeper;
		return isKept || (isReaching && isSmall(this.#read()));
	}

	/** Whether nothing is typed and nothing kept: there is no draft to be made safe. */
	get isEmpty() {
		return !this.#read() && this.#keeper.isKept;
	}

	changed() {
		this.#keeper.changed();
	}

	/**
	 * Before the form itself is sent: everything typed is on the server, whatever comes of the form.
	 * @returns {Promise<"ready"|"away"|"signed-out">} ready also where a draft is refused, but saving may not be
	 */
	async prepare() {
		try {
			await this.#keeper.flush({ always: true });
		} catch ({ status }) {
			if (status === 401) return "signed-out";
			if (status === 0 || status >= 500) return "away";
		}
		this.#keeper.stop();
		return "ready";
	}

	/** The page is shown, perhaps again after the form was sent in vain. */
	begin() {
		this.#keeper.start();
	}

	#read() {
		const form = this.#form;
		const sent = new FormData(form);
		const text = (name) => `${sent.get(name) ?? ""}`;
		const changed = [...form.elements].filter(
			(control) => control.name && control.closest(".field") && isChanged(control),
		);
		const values = Object.fromEntries(changed.map(({ name }) => [name, text(name)]));
		return together({ version: Number(text("version")), seen: text("seen"), values }, this.#earlier);
	}

	async #send(draft) {
		try {
			return await this.#call(draft);
		} catch (error) {
			// The CSRF token is of an earlier sign-in session: another tab may have signed in again meanwhile.
			if (error.status !== 403 || (await renewSession()).state !== "renewed") throw error;
			return await this.#call(draft);
		}
	}

	#call(draft) {
		const version = Number(this.#form.elements.namedItem("version").value);
		const body = { ...(draft ?? { version, values: {} }), mine: [...this.#mine] };
		this.#own(draft);
		return call("PUT", this.#form.dataset.draftUrl, { body, keepalive: isSmall(body) });
	}

	#own(draft) {
		for (const name in draft?.values) this.#mine.add(name);
	}

	#listen() {
		const tryAgain = () => document.hidden || this.#keeper.tryAgain();
		const urgent = () => this.#keeper.urgent();
		document.addEventListener("visibilitychange", () => (document.hidden ? urgent() : tryAgain()));
		window.addEventListener("pagehide", urgent);
		window.addEventListener("focus", tryAgain);
		on("renewed", () => this.#keeper.resume());
		on("connection", ({ state }) => {
			if (state === "signed-out") this.#keeper.pause();
			else if (state === "online") tryAgain();
		});
		this.#listenToOffer(document.querySelector("[data-draft-offer]"));
		const signOut = document.querySelector("form[data-sign-out]");
		signOut?.addEventListener("submit", (event) => {
			if (this.#keeper.isKept) return;
			event.preventDefault();
			this.#flushFor(SIGN_OUT_WAITS_MS).then(() => signOut.submit()); // without this event again
		});
	}

	#listenToOffer(offer) {
		if (!offer) return;
		offer.querySelector("a").addEventListener("click", (event) => {
			if (this.#keeper.isKept) return;
			event.preventDefault();
			const { href } = event.currentTarget;
			this.#flushFor(SIGN_OUT_WAITS_MS).then(() => location.assign(href));
		});
		offer.querySelector("form").addEventListener("submit", (event) => {
			event.preventDefault();
			this.#discard(offer);
		});
	}

	async #discard(offer) {
		this.#earlier = null;
		try {
			await this.#keeper.flush();
			this.#form.elements.namedItem("draft").value = "mine";
			offer.remove();
		} catch {
			// The banner stays, and so does what it offers.
			this.#earlier = JSON.parse(this.#form.dataset.draftOffered);
		}
	}

	async #flushFor(ms) {
		const tooLong = new Promise((resolve) => setTimeout(resolve, ms));
		await Promise.race([this.#keeper.flush().catch(() => {}), tooLong]);
	}
}

const isSmall = (draft) => new Blob([JSON.stringify(draft)]).size < LARGEST_KEEPALIVE_BYTES;
