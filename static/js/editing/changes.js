/**
 * What the user has changed in a form. The functions are pure. They compare with the page's own values (defaultValue
 * and its kin) and not with a snapshot, because a browser may restore typed values at any time after a reload.
 */

/**
 * The properties of a control that tell whether it has changed.
 * @typedef {Object} ControlState
 * @property {string} type
 * @property {string} [value]
 * @property {string} [defaultValue]
 * @property {boolean} [checked]
 * @property {boolean} [defaultChecked]
 * @property {ArrayLike<OptionState>} [options]
 */
/** @typedef {{selected: boolean, defaultSelected: boolean}} OptionState */

/**
 * Whether the user has changed a control.
 * @param {ControlState} control
 */
export function isChanged({ type, value = "", defaultValue = "", checked, defaultChecked, options }) {
	if (options) return isSelectionChanged(Array.from(options));
	if (type === "checkbox" || type === "radio") return checked !== defaultChecked;
	return newlines(value) !== newlines(defaultValue);
}

/**
 * Count characters as the server does.
 * @param {string} text
 */
export const characters = (text) => [...newlines(text).trim()].length;

/**
 * Whether a control's text exceeds its data-max-characters.
 * @param {{value?: string, dataset: Partial<Record<string, string>>}} control
 */
export function isTooLong({ value = "", dataset }) {
	const max = Number(dataset.maxCharacters);
	return value.length > max && characters(value) > max;
}

/**
 * Return the text of the save bar.
 * @param {number} count of fields
 */
export const changedText = (count) => (count ? `${count} changed` : "No changes yet");

/**
 * Return the text of the dialog of Cancel.
 * @param {number} count of fields, at least 1
 */
export const changeCountText = (count) => `${count} field${count === 1 ? "" : "s"} changed`;

const MAX_NAME_CHARACTERS = 100;

/**
 * Return the name of a field as heartbeats report it. A field of a part carries the part's name, because all users of
 * the page receive it, whichever part they edit.
 * @param {string} label
 * @param {string} [entryLabel] "ISA A0001"
 */
export function reportedName(label, entryLabel) {
	const name = entryLabel ? `${entryLabel}: ${fieldName(label)}` : fieldName(label);
	return [...name.replace(/[\p{C}\p{Z}]+/gu, " ")].slice(0, MAX_NAME_CHARACTERS).join("").trim();
}

/**
 * Return "Phone" for "Phone *".
 * @param {string} label
 */
export const fieldName = (label) => label.replace(/[\s:*]+$/, "").trim();

/** @param {OptionState[]} options */
function isSelectionChanged(options) {
	const wasSelected = options.some((option) => option.defaultSelected);
	// A drop-down without a selected option shows its first one.
	return options.some((option, i) => option.selected !== (wasSelected ? option.defaultSelected : i === 0));
}

/** @param {string} text */
const newlines = (text) => text.replace(/\r\n?/g, "\n");
