/**
 * Shows on a client page who edits what: an avatar and "Daniel is editing Phone" in the header of a card, and an avatar
 * beside a person or a product. A click on an activity in the list of viewers leads to its card.
 *
 * Reads:   data-fields on a card or a figure: the labels of its fields, separated by "|"; data-part on an element: the
 *          name of the person or the product that it shows; data-new-part on a card with such elements: the name of a
 *          new one.
 * Listens: `portal:roster`, `portal:locate`.
 *
 * @example <section class="card" data-fields="Phone|Email"><header><h2>Contact</h2></header>…</section>
 */
import { queryAll } from "../../lib/dom.js";
import { on } from "../../lib/events.js";
import { highlight } from "../../lib/highlight.js";
import { loadStylesheet } from "../../lib/lazy.js";
import { renderAvatarGroup } from "./avatar-group.js";
import { editedNames, editingWhat, isEditing } from "./wording.js";

/** @typedef {import("../sync/roster.js").User} User */

loadStylesheet("presence/card-presence").catch(() => {}); // without it the names are shown all the same

/**
 * @typedef {Object} Place a card or a part
 * @property {HTMLElement} element
 * @property {Element} header
 * @property {(name: string) => boolean} isHere whether the field belongs to this place
 * @property {(name: string) => string} inWords what the place calls a field that belongs to it
 */

/**
 * Return the element that names a place: the header of a card, the term of a figure, the path above the title.
 * @param {HTMLElement} element
 */
const headerOf = (element) => element.querySelector(":scope > :is(header, dt, nav)") ?? element;

/**
 * Return the parts on the page, then the cards.
 * @returns {Place[]}
 */
function places() {
	const parts = queryAll(document, "[data-part]", HTMLElement).map((element) => {
		const part = element.dataset.part ?? "";
		// A field of the part, a valuation of the product, and its new valuation.
		const starts = [`${part}: `, `${part}, `, `New valuation of ${part}`];
		return {
			...placeOf(element),
			part,
			isHere: (/** @type {string} */ name) => name === part || starts.some((start) => name.startsWith(start)),
			inWords: (/** @type {string} */ name) => (name === part ? "this" : name.replace(`${part}: `, "")),
		};
	});
	const cards = queryAll(document, "[data-fields]", HTMLElement).map((element) => {
		const labels = (element.dataset.fields ?? "").split("|");
		const isHere = (/** @type {string} */ name) => labels.includes(name);
		return { ...placeOf(element), isHere, inWords: (/** @type {string} */ name) => name };
	});
	const lists = queryAll(document, "[data-new-part]", HTMLElement).map((element) => {
		const { newPart = "" } = element.dataset;
		const listed = parts.filter((place) => element.contains(place.element));
		const partOf = (/** @type {string} */ name) => listed.find(({ isHere }) => isHere(name))?.part;
		return {
			...placeOf(element),
			isHere: (/** @type {string} */ name) => name.startsWith(newPart) || partOf(name) !== undefined,
			inWords: (/** @type {string} */ name) => partOf(name) ?? newPart,
		};
	});
	return [...parts, ...cards, ...lists];
}

/** @param {HTMLElement} element */
const placeOf = (element) => ({ element, header: headerOf(element) });

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
function namesIn({ isHere, inWords }, user) {
	const names = editedNames(user).filter(isHere);
	const shown = names[0] === user.focus ? names.slice(0, 1) : names;
	return [...new Set(shown.map(inWords))];
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
