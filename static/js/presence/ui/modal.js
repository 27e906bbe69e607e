// @ts-check
/**
 * <presence-modal>: "Concurrent Access Detected". Edit asks the server who else is here: alone one goes straight to the
 * editor, otherwise this dialog decides. It follows the roster while open, and says when the others have left.
 *
 * Reads:  <a data-edit href> anywhere on the page. Markup: templates/presence/_modal.html, inside <presence-page>.
 * Hears:  `portal:roster` {others, isSettled}. Fires: `portal:wait` {href}.
 */
import { fire, on } from "../../lib/events.js";
import { letScroll, showOnly } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { drawPeople } from "./avatar.js";
import { inOrder, withoutMe } from "../sync/roster.js";
import { editorsFirst } from "./wording.js";

const ASK_TIMEOUT_MS = 2000;

export class PresenceModal extends HTMLElement {
	/** @type {HTMLAnchorElement|null} the Edit that was clicked, until it is decided */
	#edit = null;
	#dialog = this.querySelector("dialog");

	connectedCallback() {
		this.#dialog.addEventListener("close", () => this.#decided());
		document.addEventListener("click", (event) => this.#clicked(event));
		on("roster", ({ others, isSettled }) => {
			if (this.#dialog.open && (others.length || isSettled)) this.#draw(others);
		});
	}

	/** Only a plain click: a new tab stays the browser's business. */
	#clicked(event) {
		const link = event.target.closest("a[data-edit]");
		if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
		event.preventDefault();
		if (!this.#edit) this.#ask(link);
	}

	async #ask(link) {
		const page = /** @type {import("../sync/page.js").PresencePage} */ (this.closest("presence-page"));
		this.#edit = link;
		link.ariaBusy = "true";
		const users = await page.ask(ASK_TIMEOUT_MS);
		const others = users ? inOrder(withoutMe(users, myId())) : page.others;
		link.ariaBusy = null;
		if (others.length === 0) return this.#go(link.href);
		this.#dialog.returnValue = "";
		this.#dialog.showModal();
		this.#draw(others);
	}

	#draw(others) {
		const list = this.querySelector("ul");
		drawPeople(list, editorsFirst(others));
		showOnly(this, "when", others.length ? "busy" : "free");
		letScroll(list);
		const button = /** @type {HTMLElement} */ (this.querySelector("footer button:not([hidden])"));
		if (!this.contains(document.activeElement) || document.activeElement.closest("[hidden]")) button.focus();
	}

	#decided() {
		const link = this.#edit;
		if (this.#dialog.returnValue === "edit") return this.#go(link.href);
		if (this.#dialog.returnValue === "proceed") return this.#go(withProceeded(link.href));
		this.#edit = null;
		link.focus();
		if (this.#dialog.returnValue === "wait") fire("wait", { href: link.href });
	}

	#go(href) {
		location.assign(href);
		this.#edit = null;
	}
}

/** The history says of a save that it was begun although others were there. */
function withProceeded(href) {
	const url = new URL(href);
	url.searchParams.set("proceeded", "1");
	return url.href;
}
