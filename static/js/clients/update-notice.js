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
import { write } from "../lib/dom.js";
import { refreshLiveParts } from "../lib/live-parts.js";
import { myId } from "../session/session.js";

class SavedElsewhere extends HTMLElement {
	/** Revisions said already and not dismissed. */
	#said = [];

	connectedCallback() {
		this.querySelector("button").addEventListener("click", () => {
			this.#said = [];
			this.hidden = true;
		});
		onSaved(document.querySelector("presence-page"), async ({ changes, truncated }) => {
			await refreshLiveParts(this.dataset.url ?? location.href);
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
