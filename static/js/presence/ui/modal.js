/**
 * <presence-modal>: the dialog "Concurrent Access Detected". A click on Edit asks the server who else is on the page.
 * If no other user there may edit, the editor opens; otherwise the dialog opens. While it is open, it follows the roster.
 * Components that edit without leaving the page call `ask`. An editor that asks on arrival calls `open` (arrival.js).
 *
 * Reads:   <a data-edit href> anywhere on the page.
 * Listens: `portal:roster`.
 * Fires:   `portal:wait`.
 * Markup:  templates/presence/_modal.html, inside <presence-page>.
 *
 * @example <presence-modal><dialog class="modal"><form method="dialog">…</form></dialog></presence-modal>
 */
import { fire, on } from "../../lib/events.js";
import { isPlain, makeScrollable, query, setText, showOnly, startAtTop } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { renderPeople } from "./avatar.js";
import { leaveAnswer, withProceeded } from "../sync/answered.js";
import { inOrder, withoutMe } from "../sync/roster.js";
import { activityOf, consequenceOfWaiting } from "./queue-wording.js";
import { editorsFirst } from "./wording.js";

const ASK_TIMEOUT_MS = 2000;

/** @typedef {""|"edit"|"proceed"|"wait"} Answer "": closed without an answer; "edit": no other user who may edit is there */

export class PresenceModal extends HTMLElement {
	/** @type {((answer: Answer) => void)|null} set while the dialog is open */
	#answer = null;
	#isAsking = false;
	#dialog = query(this, "dialog", HTMLDialogElement);

	connectedCallback() {
		this.#dialog.addEventListener("close", () =>
			this.#answer?.(/** @type {Answer} */ (this.#dialog.returnValue)),
		);
		document.addEventListener("click", (event) => this.#handleClick(event));
		on("roster", ({ others, isSettled }) => {
			if (!this.#dialog.open) return;
			const conflicting = this.#page.conflicting(others);
			if (conflicting.length || isSettled) this.#draw(conflicting);
		});
	}

	/**
	 * Ask the server who else is on the page, and the user whether to edit if another one may edit, too. A user who
	 * answers "wait" waits from then on.
	 * @param {HTMLAnchorElement} link to the editor; it gets the focus back if the user does not edit
	 * @returns {Promise<Answer>} "" also if the question is asked already
	 */
	async ask(link) {
		if (this.#isAsking) return "";
		this.#isAsking = true;
		link.ariaBusy = "true";
		const users = await this.#page.fetchViewers(ASK_TIMEOUT_MS);
		const others = this.#page.conflicting(users ? inOrder(withoutMe(users, myId())) : this.#page.others);
		link.ariaBusy = null;
		const answer = others.length ? await this.open(others) : "edit";
		this.#isAsking = false;
		if (answer === "" || answer === "wait") link.focus();
		if (answer === "wait") fire("wait", { href: link.href });
		return answer;
	}

	/**
	 * Handle a plain click.
	 * @param {MouseEvent} event
	 */
	async #handleClick(event) {
		const link = event.target instanceof Element && event.target.closest("a[data-edit]");
		if (!(link instanceof HTMLAnchorElement)) return;
		if (!isPlain(event)) return;
		event.preventDefault();
		const answer = await this.ask(link);
		if (answer === "proceed") leaveAnswer(this.#page.page);
		if (answer === "edit" || answer === "proceed")
			location.assign(answer === "proceed" ? withProceeded(link.href) : link.href);
	}

	/**
	 * Open the dialog.
	 * @param {import("../sync/roster.js").User[]} others about whom it asks
	 * @returns {Promise<Answer>}
	 */
	open(others) {
		this.#dialog.returnValue = "";
		this.#dialog.showModal();
		this.#draw(others);
		startAtTop(this.#dialog);
		return new Promise((resolve) => {
			this.#answer = resolve;
		});
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

	get #page() {
		return /** @type {import("../sync/page.js").PresencePage} */ (this.closest("presence-page"));
	}
}
