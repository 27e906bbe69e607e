// @ts-check
/**
 * Puts another value into a control. In a text it is one step of the browser's undo history: a value that a script sets
 * leaves the older steps where they were, and Ctrl Z would cut pieces out of the new text. The caret stays in its words.
 */

/** @param {HTMLInputElement|HTMLTextAreaElement|HTMLSelectElement} control @param {string} value */
export function replaceValue(control, value) {
	const now = control.value;
	if (now === value) return;
	const { start, end } = difference(now, value);
	const inserted = value.slice(start, value.length - end);
	const selection = selectionOf(control);
	if (selection) edit(control, start, now.length - end, inserted);
	if (control.value !== value) control.value = value; // a control without such a history, or one that is inert
	if (!selection) return;
	const moved = selection.map((at) => movedBy(at, start, now.length - end, inserted.length));
	if (control === document.activeElement) control.setSelectionRange(moved[0], moved[1]);
}

/** How many characters are the same at the start and at the end. @param {string} one @param {string} other */
export function difference(one, other) {
	const most = Math.min(one.length, other.length);
	let start = 0;
	while (start < most && one[start] === other[start]) start += 1;
	let end = 0;
	while (end < most - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
	return { start, end };
}

/** Where a caret belongs after `from` to `to` have been replaced by so many characters. */
export function movedBy(at, from, to, length) {
	if (at <= from) return at;
	return at >= to ? at - to + from + length : from + length;
}

/** @returns {number[]|null} null where the control holds no text that can be selected */
function selectionOf(control) {
	const { selectionStart, selectionEnd } = control;
	return selectionStart === null || selectionStart === undefined ? null : [selectionStart, selectionEnd];
}

/** As if it were typed. Only the control that has the focus has an undo history that a script can add to. */
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
