// @ts-check
/**
 * <saved-elsewhere>: says what somebody has saved while the client page was open, and brings the page up to date in place:
 * its title and the parts marked data-live are made what the server now shows, what differs is highlighted. Nothing until then.
 *
 * Reads:  data-url, where the page can be had if not at its own address; data-live on its parts; <presence-page>, as editing/remote/poll.js has it.
 *         Markup: templates/clients/_update_notice.html. Hears: `portal:saved`.
 */
import { onSaved } from "../editing/remote/poll.js";
import { TOO_MANY_TO_NAME, whatWasSaved } from "../editing/remote/wording.js";
import { highlight } from "../lib/highlight.js";
import { HttpError } from "../lib/http.js";
import { write } from "../lib/dom.js";
import { myId } from "../session/session.js";
import { morph } from "../lib/morph.js";
import { retitle } from "../lib/page-title.js";

const TIMEOUT_MS = 10_000;

class SavedElsewhere extends HTMLElement {
	/** Revisions said already and not dismissed. */
	#said = [];

	connectedCallback() {
		this.querySelector("button").addEventListener("click", () => {
			this.#said = [];
			this.hidden = true;
		});
		onSaved(document.querySelector("presence-page"), async ({ changes, truncated }) => {
			await refresh(this.dataset.url ?? location.href);
			if (!changes.length) return;
			this.#said.push(...changes);
			write(
				this.querySelector("[data-sentence]"),
				truncated ? TOO_MANY_TO_NAME : whatWasSaved(this.#said, myId()),
			);
			this.hidden = false;
		});
	}
}

customElements.define("saved-elsewhere", SavedElsewhere);

/** @param {string} url @throws {HttpError} */
async function refresh(url) {
	const fresh = await fetchPage(url);
	retitle(fresh.title);
	for (const part of document.querySelectorAll("[data-live]")) {
		const wanted = fresh.querySelector(`[data-live="${part.getAttribute("data-live")}"]`);
		if (wanted) for (const element of morph(part, wanted)) highlight(element);
	}
}

/**
 * By the header the server knows that no person has done anything: the sign-in session is not prolonged.
 * @param {string} url @returns {Promise<Document>} @throws {HttpError}
 */
export async function fetchPage(url) {
	try {
		const signal = AbortSignal.timeout(TIMEOUT_MS);
		const answer = await fetch(url, {
			headers: { "X-Background": "1" },
			redirect: "error",
			signal,
		});
		if (answer.ok) return new DOMParser().parseFromString(await answer.text(), "text/html");
		throw new HttpError(answer.status, "");
	} catch (error) {
		throw new HttpError(0, error.message);
	}
}
