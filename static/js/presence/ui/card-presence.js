/**
 * Shows on a client page who edits what: an avatar and "Daniel is editing Phone" in the header of a card, and an avatar
 * beside a person or a product. A click on an activity in the list of viewers leads to its card.
 *
 * Reads:   data-fields on a card or a figure: the labels of its fields, separated by "|"; data-part on an element: the
 *          name of the person or the product that it shows.
 * Listens: `portal:roster`, `portal:locate`.
 *
 * @example <section class="card" data-fields="Phone|Email"><header><h2>Contact</h2></header>…</section>
 */
import { queryAll } from "../../lib/dom.js";
import { on } from "../../lib/events.js";
import { highlight } from "../../lib/highlight.js";
import { renderAvatarGroup } from "./avatar-group.js";
import { editedNames, editingWhat, isEditing } from "./wording.js";

/** @typedef {import("../sync/roster.js").User} User */
/**
 * @typedef {Object} Place a card or a part
 * @property {HTMLElement} element
 * @property {Element} header
 * @property {(name: string) => boolean} isHere whether the field belongs to this place
 * @property {string} [part] the name of the part
 */

/**
 * Return the element that names a place: the header of a card, the term of a figure, the path above the title.
 * @param {HTMLElement} element
 */
const headerOf = (element) => element.querySelector(":scope > :is(header, dt, nav)") ?? element;

/**
 * Return the cards and parts on the page.
 * @returns {Place[]}
 */
function places() {
	const parts = queryAll(document, "[data-part]", HTMLElement).map((element) => {
		const part = element.dataset.part ?? "";
		// A field of the part, a valuation of the product, and its new valuation.
		const starts = [`${part}: `, `${part}, `, `New valuation of ${part}`];
		const isHere = (/** @type {string} */ name) =>
			name === part || starts.some((start) => name.startsWith(start));
		return { element, header: headerOf(element), isHere, part };
	});
	const cards = queryAll(document, "[data-fields]", HTMLElement).map((element) => {
		const labels = (element.dataset.fields ?? "").split("|");
		return {
			element,
			header: headerOf(element),
			isHere: (/** @type {string} */ name) => labels.includes(name),
		};
	});
	return [...parts, ...cards];
}

/**
 * Show in each place who edits there.
 * @param {User[]} others
 */
function render(others) {
	for (const place of places()) {
		const names = new Map(others.filter(isEditing).map((user) => [user, namesIn(place, user)]));
		const editors = [...names.keys()].filter((user) => names.get(user)?.length);
		const text = editingWhat(editors, (user) => names.get(user) ?? []);
		renderAvatarGroup(place.header, "editors", editors, text);
	}
}

/**
 * Return what a user edits in a place: the field that they are in, otherwise those that they have changed.
 * @param {Place} place
 * @param {User} user
 */
function namesIn({ isHere, part }, user) {
	const names = editedNames(user).filter(isHere);
	const shown = names[0] === user.focus ? names.slice(0, 1) : names;
	return shown.map((name) => (name === part ? "this" : name.replace(`${part}: `, "")));
}

/** @param {string[]} names */
function locate(names) {
	const found = places().find(({ isHere }) => names.some(isHere))?.element;
	if (!found) return;
	found.scrollIntoView({ block: "center" });
	highlight(found);
	found.tabIndex = -1;
	found.focus({ preventScroll: true });
}

on("roster", ({ others }) => render(others));
on("locate", ({ names }) => locate(names));
