/** The values of a control: the one that it shows, and the one from which it starts. */

/** @typedef {import("../controls.js").Control} Control */

/**
 * Return the value as users read it.
 * @param {Control} control
 */
export function textOf(control) {
	if (control instanceof HTMLSelectElement) return control.selectedOptions[0]?.text ?? "";
	return "amount" in control.dataset && control.value ? `£${control.value}` : control.value;
}

/**
 * Return the value from which the control starts.
 * @param {Control} control
 */
export const defaultOf = (control) =>
	control instanceof HTMLSelectElement
		? (Array.from(control.options).find((each) => each.defaultSelected)?.value ?? "")
		: control.defaultValue;

/**
 * Make the control start from another value, and keep what it holds.
 * @param {Control} control
 * @param {string} raw
 * @param {string} text of an option that the drop-down lacks
 */
export function setDefault(control, raw, text) {
	if (!(control instanceof HTMLSelectElement)) {
		control.defaultValue = raw;
		return;
	}
	const { value } = control;
	if (!Array.from(control.options).some((option) => option.value === raw)) control.add(new Option(text, raw));
	for (const option of control.options) option.defaultSelected = option.value === raw;
	control.value = value;
}
