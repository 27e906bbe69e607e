// @ts-check
/**
 * The sending of a form. From the click on Save until the next page is there nothing can be typed that would be lost, and
 * closing the page asks; where the browser gives the sending up (Stop, Escape, a lost line), the form is as before.
 */

// Of browsers that do not say when they have given a navigation up.
const GIVEN_UP_AFTER_MS = 15_000;

export class Saving {
	/** @type {"idle"|"preparing"|"sent"} */
	#state = "idle";
	#form;
	#button;
	#label;
	#isSubmitting = false;
	#isOwnUnload = false;
	/** @type {HTMLElement|null} where the person was when the form was sent */
	#focused = null;
	#onStopped;

	/** @param {HTMLFormElement} form @param {() => void} onStopped the form was sent, and the page stays */
	constructor(form, onStopped) {
		this.#form = form;
		this.#button = /** @type {HTMLElement} */ (form.querySelector('[type="submit"]'));
		this.#label = this.#button.textContent;
		this.#onStopped = onStopped;
		window.navigation?.addEventListener("navigateerror", () => this.#stopped());
	}

	get isIdle() {
		return this.#state === "idle";
	}

	/** While the form's own `submit` event is on its way. */
	get isSubmitting() {
		return this.#isSubmitting;
	}

	/** The person has pressed Save; what the form waits for comes before it is sent. */
	begin() {
		this.#become("preparing");
		const { activeElement } = document;
		this.#focused = this.#form.contains(activeElement) ? /** @type {HTMLElement} */ (activeElement) : null;
		if (this.#focused) this.#button.focus(); // an inert element throws the focus away, as does `disabled`
		this.#draw(true);
	}

	/** @param {HTMLElement|null} submitter */
	submit(submitter) {
		this.sent();
		this.#isSubmitting = true;
		this.#form.requestSubmit(submitter);
		this.#isSubmitting = false;
	}

	/** The form is being sent: the browser is about to ask whether the page may be left. */
	sent() {
		if (this.isIdle) this.begin();
		this.#become("sent");
		this.#isOwnUnload = true;
		if (!window.navigation) setTimeout(() => this.#stopped(), GIVEN_UP_AFTER_MS);
	}

	/** The form is there to be typed in. */
	end() {
		const wasBusy = !this.isIdle;
		this.#become("idle");
		this.#isOwnUnload = false;
		this.#draw(false);
		if (wasBusy && document.activeElement === this.#button) this.#focused?.focus();
	}

	/** Of a `beforeunload`, whether it is that of the form's own sending. */
	takesOwnUnload() {
		const isOwn = this.#isOwnUnload;
		this.#isOwnUnload = false;
		return isOwn;
	}

	#become(state) {
		this.#state = state;
	}

	#stopped() {
		if (this.#state === "sent") this.#onStopped();
	}

	#draw(isBusy) {
		for (const part of this.#form.children)
			if (!part.contains(this.#button)) /** @type {HTMLElement} */ (part).inert = isBusy;
		this.#button.ariaDisabled = `${isBusy}`;
		this.#button.textContent = isBusy ? "Saving…" : this.#label;
	}
}
