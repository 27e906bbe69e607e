/**
 * <presence-indicator>: the other users on this page, as avatars and one sentence. A menu lists them by name, and sets
 * whether toasts announce who joins and leaves. The element is hidden while the user is alone.
 *
 * Reads:   data-label ("client record").
 * Listens: `portal:roster`, `portal:connection`.
 * Fires:   `portal:locate` when the user clicks what another user edits.
 * Markup:  templates/presence/_indicator.html.
 *
 * @example <presence-indicator data-label="client record" hidden>…</presence-indicator>
 */
import { fire, on } from "../../lib/events.js";
import { makeScrollable, createElement, query, queryAll } from "../../lib/dom.js";
import { renderAvatars, renderPeople } from "./avatar.js";
import { setWantsToasts, wantsToasts } from "./toast-setting.js";
import { editedNames, editorsFirst, whoIsHere } from "./wording.js";

/** @typedef {import("../sync/roster.js").User} User */

// What `portal:locate` can show: cards and parts of a client page, the fields of an editor.
const PLACES = "[data-fields], [data-part], form[data-edit-form]";

class PresenceIndicator extends HTMLElement {
	/** @type {User[]} */
	#others = [];
	#list = query(this, ".viewers", HTMLElement);

	connectedCallback() {
		on("roster", ({ others }) => this.#draw(editorsFirst(others)));
		on("connection", ({ state }) => {
			this.classList.toggle("is-old", state !== "online");
			if (state === "gone") this.hidden = true;
		});
		this.#setUpMenu(query(this, "details", HTMLDetailsElement));
		this.#list.addEventListener("click", ({ target }) => {
			if (target instanceof HTMLButtonElement) this.#lead(target);
		});
		const checkbox = query(this, "input", HTMLInputElement);
		checkbox.checked = wantsToasts();
		checkbox.addEventListener("change", () => setWantsToasts(checkbox.checked));
	}

	/** @param {User[]} others */
	#draw(others) {
		this.#others = others;
		renderAvatars(query(this, ".avatars", HTMLElement), others);
		renderPeople(this.#list, others);
		this.#linkToFields();
		renderSentence(query(this, "[data-sentence]", HTMLElement), whoIsHere(others, this.dataset.label ?? ""));
		this.hidden = others.length === 0;
		makeScrollable(this.#list);
	}

	/** Make what each user edits a button that leads to it, on pages that show it. */
	#linkToFields() {
		if (!document.querySelector(PLACES)) return;
		for (const doing of queryAll(this.#list, "[data-doing]", HTMLElement)) {
			const canLead = editedNames(this.#userOf(doing)).length > 0;
			if (canLead === Boolean(doing.firstElementChild)) continue;
			const text = doing.textContent ?? "";
			doing.replaceChildren(
				canLead ? createElement("button", { type: "button", className: "link" }, text) : text,
			);
		}
	}

	/** @param {Element} part of an item of the list */
	#userOf(part) {
		const id = part.closest("li")?.dataset.id;
		return /** @type {User} */ (this.#others.find((user) => `${user.id}` === id));
	}

	/** @param {Element} button what a user edits */
	#lead(button) {
		query(this, "details", HTMLDetailsElement).open = false;
		fire("locate", { names: editedNames(this.#userOf(button)) });
	}

	/** @param {HTMLDetailsElement} menu */
	#setUpMenu(menu) {
		document.addEventListener("click", ({ target }) => {
			if (target instanceof Node && !menu.contains(target)) menu.open = false;
		});
		menu.addEventListener("toggle", () => makeScrollable(this.#list));
		menu.addEventListener("keydown", ({ key }) => {
			if (key !== "Escape") return;
			menu.open = false;
			query(menu, "summary", HTMLElement).focus();
		});
	}
}

/**
 * Write the clauses, each behind the shape of its state, unless the same sentence is there.
 * @param {HTMLElement} place
 * @param {ReturnType<typeof whoIsHere>} clauses
 */
function renderSentence(place, clauses) {
	const sentence = clauses.map(({ text }) => text).join(" · ");
	if (place.textContent === sentence) return;
	const shown = clauses.flatMap(({ state, text }) => [
		" · ",
		createElement("span", {}, createElement("i", { className: `state ${state}` }), text),
	]);
	place.replaceChildren(...shown.slice(1));
	place.title = sentence;
}

customElements.define("presence-indicator", PresenceIndicator);
