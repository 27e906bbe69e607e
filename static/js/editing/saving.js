/**
 * The state of a form while it is sent. After a click on Save, the form is inert until the next page opens, and closing
 * the page asks first. If the browser gives up (Stop, Escape, a lost connection), the form is as before.
 *
 * Reads: the form's submit button.
 *
 * @example const saving = new Saving(form, () => saving.end());
 */
import { query } from "../lib/dom.js";

// For browsers without the Navigation API, which do not report that they have given up.
const GIVE_UP_AFTER_MS = 15_000;

/** @typedef {"idle"|"preparing"|"sent"} State */

export class Saving {
	/** @type {State} */
	#state = "idle";
	#form;
	#button;
	#label;
	#isSubmitting = false;
	#isOwnUnload = false;
	/** @type {HTMLElement|null} which the user had focused when the form was sent */
	#focused = null;
	#onStopped;

	/**
	 * @param {HTMLFormElement} form
	 * @param {() => void} onStopped the form was sent, and the page stays
	 * @param {AbortSignal} [signal] ends the listening
	 */
	constructor(form, onStopped, signal) {
		this.#form = form;
		this.#button = query(form, '[type="submit"]', HTMLButtonElement);
		this.#label = this.#button.textContent;
		this.#onStopped = onStopped;
		window.navigation?.addEventListener("navigateerror", () => this.#handleStop(), { signal });
	}

	get isIdle() {
		return this.#state === "idle";
	}

	/** Whether `submit` has caused the form's current `submit` event. */
	get isSubmitting() {
		return this.#isSubmitting;
	}

	/** Make the form inert: the user has pressed Save, and the draft is saved before the form is sent. */
	begin() {
		this.#state = "preparing";
		const { activeElement } = document;
		this.#focused =
			activeElement instanceof HTMLElement && this.#form.contains(activeElement) ? activeElement : null;
		if (this.#focused) this.#button.focus(); // an inert or disabled element loses the focus
		this.#draw(true);
	}

	/** @param {HTMLElement|null} submitter */
	submit(submitter) {
		this.sent();
		this.#isSubmitting = true;
		this.#form.requestSubmit(submitter);
		this.#isSubmitting = false;
	}

	/** Record that the form is being sent. The browser fires `beforeunload` next. */
	sent() {
		if (this.isIdle) this.begin();
		this.#state = "sent";
		this.#isOwnUnload = true;
		if (!window.navigation) setTimeout(() => this.#handleStop(), GIVE_UP_AFTER_MS);
	}

	/** Make the form usable again. */
	end() {
		const wasBusy = !this.isIdle;
		this.#state = "idle";
		this.#isOwnUnload = false;
		this.#draw(false);
		if (wasBusy && document.activeElement === this.#button) this.#focused?.focus();
	}

	/** Return whether the sending of the form causes this `beforeunload` event, and forget it. */
	takesOwnUnload() {
		const isOwn = this.#isOwnUnload;
		this.#isOwnUnload = false;
		return isOwn;
	}

	#handleStop() {
		if (this.#state === "sent") this.#onStopped();
	}

	/** @param {boolean} isBusy */
	#draw(isBusy) {
		for (const part of this.#form.children)
			if (!part.contains(this.#button)) /** @type {HTMLElement} */ (part).inert = isBusy;
		this.#button.ariaDisabled = `${isBusy}`;
		this.#button.textContent = isBusy ? "Saving…" : this.#label;
	}
}
