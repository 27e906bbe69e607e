/**
 * The draft of a form. It goes to the server while the user types, and when the page is hidden, left or signed out of.
 *
 * Reads:   data-draft-url of the form; data-draft-stored, as JSON what the draft holds and the form has no controls for;
 *          its inputs `version`, `seen` and `restored`; [data-draft-state] in the form, shown by state, with the time in
 *          [data-draft-stored-at];
 *          [data-draft-offer] (offer.js). The draft is sent before another form of the page is.
 * Listens: `portal:renewed`, `portal:connection`, `portal:roster`.
 *
 * @example <form data-edit-form data-draft-url="…"><p data-draft-state data-when="kept" hidden>…</p></form>
 */
import { on } from "../../lib/events.js";
import { call, HttpError } from "../../lib/http.js";
import { queryAll, setText, showOnly } from "../../lib/dom.js";
import { timeNow } from "../../lib/time-now.js";
import { renewSession } from "../../session/session.js";
import { isChanged } from "../changes.js";
import { controlNamed, controlsOf } from "../controls.js";
import { Autosave } from "./autosave.js";

/** @typedef {import("./autosave.js").DraftPayload} DraftPayload */
/** @typedef {import("./autosave.js").State} State */
/** @typedef {"ready"|"away"|"signed-out"|"read-only"|"gone"} Outcome */

/** @typedef {{values: Record<string, string>, seen: string}} Values seen: the versions that the user saw */

/**
 * Further sources of a draft's values, besides the form's fields. The conflict page adds one
 * (conflict/custom-values.js).
 * @type {((form: HTMLFormElement, seen: string, typed?: Record<string, string>) => Values)[]}
 */
export const valueSources = [];

// A browser lets requests of up to 64 KB outlive a page.
const MAX_KEEPALIVE_BYTES = 60_000;
const OTHER_FORMS_WAIT_MS = 2000;

/**
 * @param {HTMLFormElement} form
 * @param {(state: State) => void} onState
 * @param {AbortSignal} [signal] ends the listening
 */
export const followDraft = (form, onState, signal) => new Draft(form, onState, signal);

class Draft {
	#form;
	/** @type {DraftPayload|null} what the draft holds and the form has no controls for */
	#carried;
	#autosave;
	#isDiscarded = false;
	/** when the server last stored the draft, "10:42"; "" if not since the page was opened */
	#storedAt = "";
	#isShared = false;

	/**
	 * @param {HTMLFormElement} form
	 * @param {(state: State) => void} onState
	 * @param {AbortSignal} [signal]
	 */
	constructor(form, onState, signal) {
		this.#form = form;
		this.#carried = JSON.parse(form.dataset.draftStored || "null");
		this.#autosave = new Autosave(
			{
				read: () => this.#read(),
				send: (draft) => this.#send(draft),
				isShared: () => this.#isShared,
				onState: (state) => {
					if (state === "kept") this.#drawStoredAt();
					for (const part of form.querySelectorAll("[data-draft-state]")) showOnly(part, "when", state);
					onState(state);
				},
			},
			this.#carried,
		);
		this.#listen(signal);
	}

	/** Whether the user can leave the page without losing changes. */
	get isSafe() {
		const { isKept, isReaching } = this.#autosave;
		return this.#isDiscarded || isKept || (isReaching && isSmall(this.#read()));
	}

	/** Whether there is no draft, here or on the server. */
	get isEmpty() {
		return !this.#read() && this.#autosave.isKept;
	}

	changed() {
		this.#autosave.changed();
	}

	/**
	 * Save the draft before the user leaves the page.
	 * @throws {HttpError}
	 */
	async keep() {
		await this.#autosave.flush();
	}

	/**
	 * Discard the user's changes, and the draft from which they were restored.
	 * @throws {HttpError}
	 */
	async discard() {
		this.#autosave.stop();
		try {
			await this.#send(null);
			this.#isDiscarded = true;
		} catch (error) {
			this.#autosave.start();
			throw error;
		}
	}

	/**
	 * Save the draft before the form is sent, so that all changes are on the server whatever happens to the form.
	 * @returns {Promise<Outcome>} "ready" also if the server refuses the draft, because it may still accept the form
	 */
	async prepare() {
		try {
			await this.#autosave.flush({ always: true });
		} catch (error) {
			const { status } = /** @type {HttpError} */ (error);
			if (status === 401) return "signed-out";
			if (status === 403) return "read-only";
			if (status === 404) return "gone";
			if (status === 0 || status >= 500) return "away";
		}
		this.#autosave.stop();
		return "ready";
	}

	/** Start, or start again when the form was sent and the page stays. */
	begin() {
		this.#autosave.start();
	}

	/** @returns {DraftPayload|null} */
	#read() {
		const form = this.#form;
		const data = new FormData(form);
		const text = (/** @type {string} */ name) => `${data.get(name) ?? ""}`;
		const changed = controlsOf(form).filter(
			(control) => isAside(control) || (control.closest(".field") && isChanged(control)),
		);
		const carried = this.#carried?.values;
		/** @type {Values} */
		let found = { values: {}, seen: text("seen") };
		for (const source of valueSources) found = source(form, found.seen, carried);
		const values = { ...found.values, ...Object.fromEntries(changed.map(({ name }) => [name, text(name)])) };
		if (!Object.keys(values).length) return this.#carried;
		return { version: Number(text("version")), seen: found.seen, values: { ...carried, ...values } };
	}

	/** @param {DraftPayload|null} draft */
	async #send(draft) {
		try {
			return await this.#call(draft);
		} catch (error) {
			if (!(error instanceof HttpError) || error.status !== 403) throw error;
			// The CSRF token belongs to an earlier session: this user, or another one, has signed in again in another
			// tab.
			const { state } = await renewSession();
			if (state === "unknown") throw new HttpError(0, error.message);
			if (state !== "renewed") throw new HttpError(401, error.message);
			return await this.#call(draft);
		}
	}

	#drawStoredAt() {
		for (const time of queryAll(this.#form, "[data-draft-stored-at]", HTMLElement))
			setText(time, this.#storedAt);
	}

	/** @param {DraftPayload|null} draft */
	async #call(draft) {
		const restored = controlNamed(this.#form, "restored")?.value;
		const version = Number(controlNamed(this.#form, "version")?.value);
		const body = { version, values: {}, ...draft, ...(restored ? { restored } : {}) };
		await call("PUT", this.#form.dataset.draftUrl ?? "", { body, keepalive: isSmall(body) });
		this.#storedAt = timeNow();
	}

	/** @param {AbortSignal} [signal] */
	#listen(signal) {
		const tryAgain = () => this.#tryAgain();
		const flushNow = () => this.#autosave.flushNow();
		document.addEventListener("visibilitychange", () => (document.hidden ? flushNow() : tryAgain()), {
			signal,
		});
		window.addEventListener("pagehide", flushNow, { signal });
		window.addEventListener("focus", tryAgain, { signal });
		on("renewed", () => this.#autosave.resume(), signal);
		on("roster", ({ others }) => this.#followOthers(others), signal);
		on("connection", ({ state }) => this.#followConnection(state), signal);
		if (document.querySelector("[data-draft-offer]")) this.#followOffers().catch(() => {});
		// Signing out, or putting back what others have replaced: the page that follows offers the draft.
		document.addEventListener("submit", (event) => this.#keepBefore(event), { signal });
	}

	/** @param {import("../../lib/events.js").User[]} others */
	#followOthers(others) {
		this.#isShared = others.some(({ activity }) => activity === "editing");
	}

	/** @param {import("../../lib/events.js").ConnectionState} state */
	#followConnection(state) {
		if (state === "signed-out") this.#autosave.pause();
		else if (state === "gone") this.#autosave.stop();
		else if (state === "online") this.#tryAgain();
	}

	/** Send the draft again: the user may have discarded it on another device while this page was hidden or offline. */
	#tryAgain() {
		if (!document.hidden) this.#autosave.renew();
	}

	/** @param {SubmitEvent} event of another form of the page */
	#keepBefore(event) {
		const other = /** @type {HTMLFormElement} */ (event.target);
		if (other === this.#form || other.method !== "post") return;
		if (event.defaultPrevented || this.#autosave.isKept) return;
		event.preventDefault();
		this.#flushFor(OTHER_FORMS_WAIT_MS).then(() => other.submit()); // fires no second `submit` event
	}

	/** Without the module, as when the server cannot be reached, the offer's link and form work on their own. */
	async #followOffers() {
		const draft = { isKept: () => this.#autosave.isKept, flush: () => this.#flushFor(OTHER_FORMS_WAIT_MS) };
		const { followOffer } = await import("./offer.js");
		for (const offer of queryAll(document, "[data-draft-offer]", HTMLElement))
			followOffer(offer, this.#form, draft);
	}

	/** @param {number} ms */
	async #flushFor(ms) {
		const timeout = new Promise((resolve) => setTimeout(resolve, ms));
		await Promise.race([this.#autosave.flush().catch(() => {}), timeout]);
	}
}

/**
 * Whether a control holds what the user had typed before they took another user's value (remote/take-over.js).
 * @param {{name: string}} control
 */
const isAside = ({ name }) => name.startsWith("aside-");

/** @param {Object|null} body */
const isSmall = (body) => new Blob([JSON.stringify(body)]).size < MAX_KEEPALIVE_BYTES;
