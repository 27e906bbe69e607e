/**
 * <page-notices>: shows at most two notices, and a button ("1 more") that shows the others. clients/update-notice.js
 * imports it, because without that notice there are never more than two.
 *
 * Markup: templates/presence/_notices.html; a notice is an element of the class "notice" without `hidden`.
 *
 * @example <page-notices><p class="notice">Reconnecting…</p><button data-more hidden></button></page-notices>
 */
import { query, queryAll, setText } from "../../lib/dom.js";

const MAX_NOTICES = 2;

class PageNotices extends HTMLElement {
	#isUnfolded = false;
	#more = query(this, "[data-more]", HTMLButtonElement);

	connectedCallback() {
		this.#more.addEventListener("click", () => {
			this.#isUnfolded = true;
			this.#fold();
		});
		new MutationObserver(() => this.#fold()).observe(this, { attributeFilter: ["hidden"], subtree: true });
		this.#fold();
	}

	#fold() {
		const notices = queryAll(this, ".notice", HTMLElement);
		const rest = notices.filter(({ hidden }) => !hidden).slice(MAX_NOTICES);
		if (!rest.length) this.#isUnfolded = false;
		const folded = this.#isUnfolded ? [] : rest;
		for (const notice of notices) notice.classList.toggle("is-folded", folded.includes(notice));
		setText(this.#more, `${rest.length} more`);
		// Writing the same value would be a mutation again.
		if (this.#more.hidden !== !folded.length) this.#more.hidden = !folded.length;
	}
}

customElements.define("page-notices", PageNotices);
