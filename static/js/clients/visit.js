/**
 * <client-visit>: records the visit of a client page after the page has been in sight for a while, so a glance is no
 * visit. A version that the page shows later, because another user has saved it, is recorded in the same way. Its form
 * dismisses what it says about the changes since the last visit, and their marks on the page.
 *
 * Reads:  data-url, which takes the version; data-min-seconds; data-version of <presence-page>.
 * Markup: templates/clients/page/_since_visit.html, _new_mark.html.
 *
 * @example <client-visit data-url="/clients/42/visit" data-min-seconds="3"></client-visit>
 */
import { query, queryAll } from "../lib/dom.js";
import { call } from "../lib/http.js";

class ClientVisit extends HTMLElement {
	#page = query(document, "presence-page", HTMLElement);
	/** The newest version that was sent. */
	#sent = 0;
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	#timer;

	connectedCallback() {
		document.addEventListener("visibilitychange", () => this.#follow());
		new MutationObserver(() => this.#follow()).observe(this.#page, { attributeFilter: ["data-version"] });
		this.addEventListener("submit", (event) => {
			event.preventDefault();
			this.#dismiss();
		});
		this.#follow();
	}

	get #version() {
		return Number(this.#page.dataset.version);
	}

	#follow() {
		if (document.hidden) {
			clearTimeout(this.#timer);
			this.#timer = undefined;
		} else if (this.#version > this.#sent)
			this.#timer ??= setTimeout(() => this.#record(), Number(this.dataset.minSeconds) * 1000);
	}

	#dismiss() {
		clearTimeout(this.#timer);
		this.#record();
		this.replaceChildren();
		for (const mark of queryAll(document, ".new-mark", HTMLElement)) mark.remove();
		query(document, "main", HTMLElement).focus({ preventScroll: true });
	}

	#record() {
		this.#timer = undefined;
		this.#sent = this.#version;
		// A visit that is not recorded does no harm: the next one repeats what has changed.
		call("POST", this.dataset.url ?? "", { body: { version: this.#sent }, keepalive: true }).catch(() => {});
	}
}

customElements.define("client-visit", ClientVisit);
