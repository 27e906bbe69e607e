// @ts-check
/**
 * The draft of a form: what is typed goes to the server while it is typed, and when the page is hidden, left or signed out of.
 *
 * Reads:  data-draft-url of the form; data-draft-kept, what the draft holds already where the form has no fields for it, as
 *         JSON; its inputs `version`, `seen` and `restored`. [data-draft-offer] with the address to discard it, its link and
 *         form; [data-draft-state] in the form, where it is to be shown; form[data-sign-out].
 * Hears:  `portal:renewed`, `portal:connection` {state}.
 */
import { on } from "../../lib/events.js";
import { call, HttpError } from "../../lib/http.js";
import { queryAll, showOnly } from "../../lib/dom.js";
import { renewSession } from "../../session/session.js";
import { isChanged } from "../changes.js";
import { Keeper } from "./autosave.js";

const LARGEST_KEEPALIVE_BYTES = 60_000; // of 64 KB that a browser lets outlive a page
const SIGN_OUT_WAITS_MS = 2000;

/** @param {HTMLFormElement} form @param {(state: import("./autosave.js").State) => void} onState */
export const draftOf = (form, onState) => new Draft(form, onState);

class Draft {
	#form;
	/** what the draft holds and the form has no fields for */
	#carried;
	#keeper;
	#isDiscarded = false;

	constructor(form, onState) {
		this.#form = form;
		this.#carried = JSON.parse(form.dataset.draftKept || "null");
		const organs = {
			read: () => this.#read(),
			send: (draft) => this.#send(draft),
			onState: (state) => {
				for (const part of form.querySelectorAll("[data-draft-state]")) showOnly(part, "when", state);
				onState(state);
			},
		};
		this.#keeper = new Keeper(organs, this.#carried);
		this.#listen();
	}

	/** Whether leaving now loses nothing. */
	get isSafe() {
		const { isKept, isReaching } = this.#keeper;
		return this.#isDiscarded || isKept || (isReaching && isSmall(this.#read()));
	}

	/** Whether nothing is typed and nothing kept: there is no draft to be made safe. */
	get isEmpty() {
		return !this.#read() && this.#keeper.isKept;
	}

	changed() {
		this.#keeper.changed();
	}

	/** Before the page is left. @throws where it cannot be kept */
	async keep() {
		await this.#keeper.flush();
	}

	/** What is typed here, and the draft that it was restored from. @throws where it cannot be reached */
	async discard() {
		this.#keeper.stop();
		try {
			await this.#send(null);
			this.#isDiscarded = true;
		} catch (error) {
			this.#keeper.start();
			throw error;
		}
	}

	/**
	 * Before the form itself is sent: everything typed is on the server, whatever comes of the form.
	 * @returns {Promise<"ready"|"away"|"signed-out"|"read-only"|"gone">} ready also where a draft is refused, but saving may not be
	 */
	async prepare() {
		try {
			await this.#keeper.flush({ always: true });
		} catch ({ status }) {
			if (status === 401) return "signed-out";
			if (status === 403) return "read-only";
			if (status === 404) return "gone";
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
			(control) => control.name && (isAside(control) || (control.closest(".field") && isChanged(control))),
		);
		const carried = this.#carried?.values;
		const { values, seen } = somethingElse(form, carried);
		Object.assign(values, Object.fromEntries(changed.map(({ name }) => [name, text(name)])));
		if (!Object.keys(values).length) return this.#carried;
		const version = Number(text("version"));
		return { version, seen: [text("seen"), ...seen].join(" ").trim(), values: { ...carried, ...values } };
	}

	async #send(draft) {
		try {
			return await this.#call(draft);
		} catch (error) {
			if (error.status !== 403) throw error;
			// The CSRF token is of an earlier sign-in session: another tab may have signed in again meanwhile, perhaps as
			// somebody else.
			const { state } = await renewSession();
			if (state === "unknown") throw new HttpError(0, error.message);
			if (state !== "renewed") throw new HttpError(401, error.message);
			return await this.#call(draft);
		}
	}

	#call(draft) {
		const { version, restored } = this.#form.elements;
		const origin = restored?.value ? { restored: restored.value } : {};
		const body = { version: Number(version.value), values: {}, ...draft, ...origin };
		return call("PUT", this.#form.dataset.draftUrl, { body, keepalive: isSmall(body) });
	}

	#listen() {
		// Another device may have discarded meanwhile what is still typed here.
		const tryAgain = () => document.hidden || this.#keeper.renew();
		const urgent = () => this.#keeper.urgent();
		document.addEventListener("visibilitychange", () => (document.hidden ? urgent() : tryAgain()));
		window.addEventListener("pagehide", urgent);
		window.addEventListener("focus", tryAgain);
		on("renewed", () => this.#keeper.resume());
		on("connection", ({ state }) => {
			if (state === "signed-out") this.#keeper.pause();
			else if (state === "gone") this.#keeper.stop();
			else if (state === "online") tryAgain();
		});
		if (document.querySelector("[data-draft-offer]")) this.#followOffers().catch(() => {});
		const signOut = document.querySelector("form[data-sign-out]");
		signOut?.addEventListener("submit", (event) => {
			if (this.#keeper.isKept) return;
			event.preventDefault();
			this.#flushFor(SIGN_OUT_WAITS_MS).then(() => signOut.submit()); // without this event again
		});
	}

	/** Without the module, as when the server cannot be reached, the offer's link and form work on their own. */
	async #followOffers() {
		const draft = { isKept: () => this.#keeper.isKept, flush: () => this.#flushFor(SIGN_OUT_WAITS_MS) };
		const { followOffer } = await import("./offer.js");
		for (const offer of queryAll(document, "[data-draft-offer]", HTMLElement))
			followOffer(offer, this.#form, draft);
	}

	async #flushFor(ms) {
		const tooLong = new Promise((resolve) => setTimeout(resolve, ms));
		await Promise.race([this.#keeper.flush().catch(() => {}), tooLong]);
	}
}

/** What was typed before somebody else's value was taken: see taking.js. */
const isAside = ({ name }) => name.startsWith("aside-");

/**
 * What is typed as something else on the conflict page is the field's value from then on, and starts from the values that
 * the page shows; what was typed in the editor, or is not chosen, is set aside.
 */
function somethingElse(form, typed = {}) {
	const values = {};
	const seen = [];
	for (const control of form.querySelectorAll('.option [name^="third-"]')) {
		const name = control.name.slice("third-".length);
		if (form.elements.namedItem(`decide-${name}`).value === "third") {
			values[name] = control.value;
			seen.push(`${name}:${form.elements.namedItem("seen_version").value}`);
			if (name in typed) values[`aside-${name}`] = typed[name];
		} else if (isChanged(control)) values[`aside-${name}`] = control.value;
	}
	return { values, seen };
}

const isSmall = (draft) => new Blob([JSON.stringify(draft)]).size < LARGEST_KEEPALIVE_BYTES;
