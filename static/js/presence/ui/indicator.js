// @ts-check
/**
 * <presence-indicator>: the other users on this page, as avatars and one sentence. A menu lists them by name, and sets
 * whether toasts announce who joins and leaves. The element is hidden while the user is alone.
 *
 * Reads:   data-label ("client record").
 * Listens: `portal:roster`, `portal:connection`.
 * Markup:  templates/presence/_indicator.html.
 *
 * @example <presence-indicator data-label="client record" hidden>…</presence-indicator>
 */
import { on } from "../../lib/events.js";
import { letScroll, query, write } from "../../lib/dom.js";
import { drawAvatars, drawPeople } from "./avatar.js";
import { setWantsToasts, wantsToasts } from "./toast-setting.js";
import { editorsFirst, whoIsHere } from "./wording.js";

class PresenceIndicator extends HTMLElement {
	#list = query(this, ".viewers", HTMLElement);

	connectedCallback() {
		on("roster", ({ others }) => this.#draw(editorsFirst(others)));
		on("connection", ({ state }) => {
			this.classList.toggle("is-old", state !== "online");
			if (state === "gone") this.hidden = true;
		});
		this.#setUpMenu(query(this, "details", HTMLDetailsElement));
		const checkbox = query(this, "input", HTMLInputElement);
		checkbox.checked = wantsToasts();
		checkbox.addEventListener("change", () => setWantsToasts(checkbox.checked));
	}

	/** @param {import("../sync/roster.js").User[]} others */
	#draw(others) {
		drawAvatars(query(this, ".avatars", HTMLElement), others);
		drawPeople(this.#list, others);
		write(query(this, "[data-sentence]", HTMLElement), whoIsHere(others, this.dataset.label ?? ""));
		this.hidden = others.length === 0;
		letScroll(this.#list);
	}

	/** @param {HTMLDetailsElement} menu */
	#setUpMenu(menu) {
		document.addEventListener("click", ({ target }) => {
			if (target instanceof Node && !menu.contains(target)) menu.open = false;
		});
		menu.addEventListener("toggle", () => letScroll(this.#list));
		menu.addEventListener("keydown", ({ key }) => {
			if (key !== "Escape") return;
			menu.open = false;
			query(menu, "summary", HTMLElement).focus();
		});
	}
}

customElements.define("presence-indicator", PresenceIndicator);
