/**
 * Replaces the value of a control. In a text control the replacement is one step of the browser's undo history. A value
 * set by a script would leave the older steps in place, and Ctrl+Z would then cut pieces out of the new text. The caret
 * stays at its word.
 */

/** @typedef {import("../controls.js").Control} Control */
/** @typedef {HTMLInputElement|HTMLTextAreaElement} TextControl */

/**
 * Replace the value.
 * @param {Control} control
 * @param {string} value
 */
export function replaceValue(control, value) {
	const current = control.value;
	if (current === value) return;
	if (!holdsText(control)) {
		control.value = value;
		return;
	}
	const selection = [Number(control.selectionStart), Number(control.selectionEnd)];
	const { start, end } = difference(current, value);
	const inserted = value.slice(start, value.length - end);
	edit(control, start, current.length - end, inserted);
	if (control.value !== value) control.value = value; // an inert control accepts no edit
	const [from, to] = selection.map((at) => movedBy(at, start, current.length - end, inserted.length));
	if (control === document.activeElement) control.setSelectionRange(from, to);
}

/**
 * Return how many characters are the same at the start and at the end.
 * @param {string} one
 * @param {string} other
 */
export function difference(one, other) {
	const max = Math.min(one.length, other.length);
	let start = 0;
	while (start < max && one[start] === other[start]) start += 1;
	let end = 0;
	while (end < max - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
	return { start, end };
}

/**
 * Return the position of a caret after the characters between two positions were replaced.
 * @param {number} at
 * @param {number} from
 * @param {number} to
 * @param {number} length of the replacement
 */
export function movedBy(at, from, to, length) {
	if (at <= from) return at;
	return at >= to ? at - to + from + length : from + length;
}

/**
 * Whether the control holds a text that can be selected.
 * @param {Control} control
 * @returns {control is TextControl}
 */
const holdsText = (control) => !(control instanceof HTMLSelectElement) && control.selectionStart !== null;

/**
 * Edit the text as if the user typed. The browser records this only for the focused control.
 * @param {TextControl} control
 * @param {number} from
 * @param {number} to
 * @param {string} text
 */
function edit(control, from, to, text) {
	const { activeElement } = document;
	control.focus({ preventScroll: true });
	control.setSelectionRange(from, to);
	document.execCommand(text ? "insertText" : "delete", false, text);
	if (activeElement === control) return;
	if (activeElement instanceof HTMLElement && activeElement !== document.body)
		activeElement.focus({ preventScroll: true });
	else control.blur();
}
