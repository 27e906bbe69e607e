/** The controls of a form, with their types. */
import { queryAll } from "../lib/dom.js";

/** @typedef {HTMLInputElement|HTMLSelectElement|HTMLTextAreaElement} Control */

/**
 * Return the form's controls that have a name.
 * @param {HTMLFormElement} form
 */
export const controlsOf = (form) => /** @type {Control[]} */ ([...form.elements]).filter(({ name }) => name);

/**
 * Return the control with this name, null if there is none.
 * @param {HTMLFormElement} form
 * @param {string} name
 */
export const controlNamed = (form, name) => /** @type {Control|null} */ (form.elements.namedItem(name));

/**
 * Return the control that the hash of an address names, else the first one.
 * @param {Element} form
 * @param {string} hash "#phone"; "" for none
 * @returns {HTMLElement|undefined} undefined if the form has no fields
 */
export function firstControl(form, hash) {
	const controls = queryAll(form, ".field :is(input, select, textarea)", HTMLElement);
	return controls.find(({ id }) => `#${id}` === hash) ?? controls[0];
}

/**
 * Return the field of a control; null for none. Radio buttons of one name are a list, and their field shows no value of
 * other users.
 * @param {Control|null} control
 */
export const fieldOf = (control) => (control instanceof Element ? control.closest(".field") : null);
