/** The controls of a form, with their types. */

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
