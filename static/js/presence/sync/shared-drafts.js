/**
 * What other editors of the page's open form have typed and not saved. The stream brings it; without a stream a
 * heartbeat says that it has changed, and this module requests it. Without a form there is nothing to request.
 *
 * Reads: <form data-shared-form data-draft-url> of an editor.
 * Fires: `portal:drafts`.
 */
import { fire } from "../../lib/events.js";
import * as api from "./api.js";

/** Return the form that the page has open and the draft that it writes, which the other editors of the form see. */
export function openForm() {
	const form = /** @type {HTMLFormElement|null} */ (document.querySelector("form[data-shared-form]"));
	const draft = new URLSearchParams(form?.dataset.draftUrl?.split("?")[1]).get("draft");
	return form && draft ? { form: form.dataset.sharedForm, draft } : {};
}

/** @example const drafts = new SharedDrafts("client-42"); drafts.follow(response.drafts); */
export class SharedDrafts {
	#page;
	#readAt = 0;
	/** @type {string|null} the mark of the last request; null if the stream has brought something else since */
	#mark = "";

	/** @param {string} page */
	constructor(page) {
		this.#page = page;
	}

	/** @param {api.DraftsResponse} response an event of the stream */
	receive(response) {
		this.#mark = null;
		this.#show(response);
	}

	/**
	 * Request the drafts if they have changed since the last request.
	 * @param {string} [mark] in the response to a heartbeat; undefined if no user shares any
	 */
	async follow(mark = "") {
		if (mark === this.#mark) return;
		this.#mark = mark;
		try {
			this.#show(await api.drafts(this.#page));
		} catch {
			this.#mark = null; // the next heartbeat tries again
		}
	}

	/** Show none, because the user may no longer see them. */
	clear() {
		fire("drafts", { drafts: [], read_at: this.#readAt });
	}

	/** @param {api.DraftsResponse} response which another one may have overtaken */
	#show(response) {
		if (api.isOvertaken(response.read_at, this.#readAt)) return;
		this.#readAt = response.read_at;
		fire("drafts", response);
	}
}
