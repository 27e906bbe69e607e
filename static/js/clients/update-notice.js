/**
 * <update-notice>: says what other users have saved while the client page was open, and updates the page in place:
 * its title, and the parts marked data-live. Changes are highlighted. The element is hidden until then.
 *
 * Reads:   data-url, if the page's own address does not return it; data-live on the parts; <presence-page>
 *          (editing/remote/poll.js).
 * Listens: `portal:saved`.
 * Markup:  templates/clients/_update_notice.html.
 *
 * @example <update-notice hidden><p data-sentence></p><a>Show changes</a><button>Dismiss</button></update-notice>
 */
import { onSaved } from "../editing/remote/poll.js";
import { TOO_MANY_TO_NAME, whatWasSaved } from "../editing/remote/wording.js";
import { query, setText } from "../lib/dom.js";
import { refreshLiveParts } from "../lib/live-parts.js";
import "../presence/ui/page-notices.js";
import { myId } from "../session/session.js";

class UpdateNotice extends HTMLElement {
	/** @type {import("../editing/remote/revisions.js").Revision[]} announced, and not dismissed */
	#announced = [];

	connectedCallback() {
		query(this, "button", HTMLButtonElement).addEventListener("click", () => {
			this.#announced = [];
			this.hidden = true;
		});
		onSaved(query(document, "presence-page", HTMLElement), async ({ changes, truncated }) => {
			await refreshLiveParts(this.dataset.url ?? location.href);
			if (!changes.length) return;
			this.#announced.push(...changes);
			setText(
				query(this, "[data-sentence]", HTMLElement),
				truncated ? TOO_MANY_TO_NAME : whatWasSaved(this.#announced, myId()),
			);
			this.hidden = false;
		});
	}
}

customElements.define("update-notice", UpdateNotice);
