/**
 * <presence-modal>: the dialog "Concurrent Access Detected". A click on Edit asks the server who else is on the page.
 * Alone, the user goes straight to the editor; otherwise the dialog opens. While it is open, it follows the roster.
 *
 * Reads:   <a data-edit href> anywhere on the page.
 * Listens: `portal:roster`.
 * Fires:   `portal:wait`.
 * Markup:  templates/presence/_modal.html, inside <presence-page>.
 *
 * @example <presence-modal><dialog class="modal"><form method="dialog">…</form></dialog></presence-modal>
 */
import { fire, on } from "../../lib/events.js";
import { makeScrollable, query, setText, showOnly, startAtTop } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { renderPeople } from "./avatar.js";
import { inOrder, withoutMe } from "../sync/roster.js";
import { activityOf, consequenceOfWaiting } from "./queue-wording.js";
import { editorsFirst } from "./wording.js";

const ASK_TIMEOUT_MS = 2000;

export class PresenceModal extends HTMLElement {
	/** @type {HTMLAnchorElement|null} the Edit link that the user has clicked, until the user has decided */
	#link = null;
	#dialog = query(this, "dialog", HTMLDialogElement);

	connectedCallback() {
		this.#dialog.addEventListener("close", () => this.#handleClose());
		document.addEventListener("click", (event) => this.#handleClick(event));
		on("roster", ({ others, isSettled }) => {
			if (this.#dialog.open && (others.length || isSettled)) this.#draw(others);
		});
	}

	/**
	 * Handle a plain click. The browser opens new tabs and windows by itself.
	 * @param {MouseEvent} event
	 */
	#handleClick(event) {
		const link = event.target instanceof Element && event.target.closest("a[data-edit]");
		if (!(link instanceof HTMLAnchorElement)) return;
		if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
		event.preventDefault();
		if (!this.#link) this.#ask(link);
	}

	/** @param {HTMLAnchorElement} link */
	async #ask(link) {
		const page = /** @type {import("../sync/page.js").PresencePage} */ (this.closest("presence-page"));
		this.#link = link;
		link.ariaBusy = "true";
		const users = await page.fetchViewers(ASK_TIMEOUT_MS);
		const others = users ? inOrder(withoutMe(users, myId())) : page.others;
		link.ariaBusy = null;
		if (others.length === 0) return this.#go(link.href);
		this.#dialog.returnValue = "";
		this.#dialog.showModal();
		this.#draw(others);
		startAtTop(this.#dialog);
	}

	/** @param {import("../sync/roster.js").User[]} others */
	#draw(others) {
		const list = query(this, "ul", HTMLElement);
		renderPeople(list, editorsFirst(others), (user) => activityOf(user, others));
		setText(query(this, "#modal-wait", HTMLElement), consequenceOfWaiting(others));
		showOnly(this, "when", others.length ? "busy" : "free");
		makeScrollable(list);
		const button = query(this, "footer > :not([hidden]) > button", HTMLElement);
		const { activeElement } = document;
		if (!this.contains(activeElement) || activeElement?.closest("[hidden]")) button.focus();
	}

	#handleClose() {
		const link = this.#link;
		if (!link) return;
		if (this.#dialog.returnValue === "edit") return this.#go(link.href);
		if (this.#dialog.returnValue === "proceed") return this.#go(withProceeded(link.href));
		this.#link = null;
		link.focus();
		if (this.#dialog.returnValue === "wait") fire("wait", { href: link.href });
	}

	/** @param {string} href */
	#go(href) {
		location.assign(href);
		this.#link = null;
	}
}

/**
 * Mark the editor's URL, so that the history says that the user proceeded although others were on the page.
 * @param {string} href
 */
export function withProceeded(href) {
	const url = new URL(href);
	url.searchParams.set("proceeded", "1");
	return url.href;
}
