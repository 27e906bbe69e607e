/** The rows below a field with the unsaved values of other users. A row stays while its user's value changes. */
import { createElement, query, queryAll, setText } from "../../lib/dom.js";
import { hueClass } from "../../lib/initials.js";
import { describe, labelOf, linkButton } from "../remote/field-notes.js";
import { replaceValue } from "../remote/replace.js";
import { isSameText } from "../remote/revisions.js";
import { EMPTY, orEmpty } from "../remote/wording.js";

/** @typedef {import("../controls.js").Control} Control */
/** @typedef {import("./state.js").Unsaved} Unsaved */
/** @typedef {{unsaved: Unsaved, user: import("../../presence/sync/roster.js").User}} Row */

const MAX_ROWS = 3; // of twenty editors, those who come first in the roster

/**
 * Draw the rows of one field; without any, remove the list.
 * @param {HTMLFormElement} form
 * @param {Element} field
 * @param {Row[]} rows
 */
export function renderRows(form, field, rows) {
	const control = query(field, "input, select, textarea", HTMLElement);
	const id = `${control.id}-unsaved`;
	const known = field.querySelector(".unsaved");
	if (!rows.length) {
		describe(control, id, false);
		return known?.remove();
	}
	const list = known ?? createElement("ul", { id, className: "unsaved" });
	if (!known) {
		field.append(list);
		describe(control, id, true);
	}
	const shown = rows.slice(0, MAX_ROWS).map((row) => renderRow(form, field, list, row));
	const rest = rows.length - shown.length;
	if (rest) shown.push(createElement("li", { className: "more" }, `${rest} more changed this`));
	if (shown.length !== list.children.length || shown.some((item, i) => item !== list.children[i]))
		list.replaceChildren(...shown);
}

/**
 * Return the item of a user, with the newest value.
 * @param {HTMLFormElement} form
 * @param {Element} field
 * @param {Element} list
 * @param {Row} row
 */
function renderRow(form, field, list, { unsaved, user }) {
	const control = /** @type {Control} */ (query(field, "input, select, textarea", HTMLElement));
	const known = [...list.children].find(
		(item) => item instanceof HTMLElement && item.dataset.user === `${user.id}`,
	);
	const item = /** @type {HTMLElement} */ (known ?? newItem(form, field, control, user));
	const isSame = isSameText(control.value, unsaved.value);
	const [who, value] = item.querySelectorAll("span, b");
	setText(who, `${user.first_name}, not saved yet${isSame ? "" : ": "}`);
	setText(value, isSame ? " · the same as yours" : shownValue(control, unsaved.value));
	value.className = isSame ? "same" : "";
	latest.set(item, unsaved);
	for (const button of queryAll(item, "button:not([aria-expanded])", HTMLElement))
		button.hidden = isSame || (control instanceof HTMLSelectElement && !optionOf(control, unsaved.value));
	return item;
}

/** @type {WeakMap<Element, Unsaved>} the value that each item shows */
const latest = new WeakMap();

/**
 * @param {HTMLFormElement} form
 * @param {Element} field
 * @param {Control} control
 * @param {Row["user"]} user
 */
function newItem(form, field, control, user) {
	const item = createElement("li", { className: hueClass(user.id) });
	item.dataset.user = `${user.id}`;
	item.append(createElement("p", {}, createElement("span"), createElement("b")));
	const value = () => /** @type {Unsaved} */ (latest.get(item));
	const add = (/** @type {string} */ label, /** @type {(button: HTMLButtonElement) => void} */ act) =>
		item.appendChild(linkButton(label, `${user.first_name}’s ${labelOf(field)}`, act));
	if (control.type === "textarea" && form.dataset.mergeUrl) {
		// If the server cannot be reached, another click tries again.
		const texts = () => import("./texts.js");
		const show = add("Show changes", (button) => {
			texts()
				.then(({ toggleDifference }) => toggleDifference(form, item, button, value))
				.catch(() => {
					button.ariaExpanded = "false";
				});
		});
		show.ariaExpanded = "false";
		add("Add to mine", () => {
			texts()
				.then(({ addToMine }) => addToMine(form, control, value()))
				.catch(() => {});
		});
	}
	add("Use this", () => take(control, value().value));
	return item;
}

/**
 * Type a value into a control, for the user.
 * @param {Control} control
 * @param {string} value
 */
export function take(control, value) {
	control.focus({ preventScroll: true });
	replaceValue(control, value);
	for (const type of ["input", "change"]) control.dispatchEvent(new Event(type, { bubbles: true }));
}

/**
 * Return a value as the control shows it.
 * @param {Control} control
 * @param {string} value
 */
function shownValue(control, value) {
	if (!(control instanceof HTMLSelectElement)) return orEmpty(value);
	return optionOf(control, value)?.text || value || EMPTY;
}

/**
 * @param {HTMLSelectElement} control
 * @param {string} value
 */
const optionOf = (control, value) => [...control.options].find((option) => option.value === value);
