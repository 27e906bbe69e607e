/**
 * Notes and choices at a field of a form: a note beside its label, a choice below its control. Both describe the
 * control to screen readers. The styles are in components/field.css and editing/field-choice.css.
 *
 * Reads: a `.field` with a `.field-head`, a label and a control.
 *
 * @example setNote(field, "changing", "Daniel is changing this");
 */
import { createElement, query, setText } from "../../lib/dom.js";
import { fieldName } from "../changes.js";

/** @typedef {[label: string, act: () => void]} Action a button */

/**
 * Set or remove the note beside the label.
 * @param {Element} field
 * @param {string} kind a field has at most one note of each kind
 * @param {string} text "" removes the note
 * @param {Action} [action] a button after the text
 */
export function setNote(field, kind, text, action) {
	const control = controlOf(field);
	const id = `${control.id}-${kind}`;
	const known = document.getElementById(id);
	if (text && !action && known && !known.firstElementChild) return setText(known, text);
	if (known) remove(known, control);
	if (!text) return;
	const note = createElement("span", { id, className: "note" }, text);
	if (action) note.append(" · ", button(field, ...action));
	query(field, ".field-head", HTMLElement).append(note);
	describe(control, id, true);
}

/**
 * Show a sentence with buttons below the control. Each button removes the choice and focuses the control.
 * @param {Element} field
 * @param {string} text
 * @param {Action[]} actions
 * @param {Element} [details] what the other user has changed, or a link to it
 */
export function setChoice(field, text, actions, details) {
	dropChoice(field);
	const id = `${controlOf(field).id}-choice`;
	const choice = createElement(
		"div",
		{ className: "choice" },
		createElement("p", { id }, text),
		...(details ? [details] : []),
	);
	for (const [label, act] of actions) choice.append(button(field, label, act));
	field.append(choice);
	describe(controlOf(field), id, true);
}

/**
 * Create a button. Its accessible name contains the field's, because a screen reader may read the button alone.
 * @param {Element} field
 * @param {string} label
 * @param {() => void} act
 */
function button(field, label, act) {
	const ariaLabel = `${label}: ${labelOf(field)}`;
	const made = createElement("button", { type: "button", className: "button small", ariaLabel }, label);
	made.addEventListener("click", () => {
		controlOf(field).focus();
		dropChoice(field);
		act();
	});
	return made;
}

/**
 * Return the field's label without a badge inside it.
 * @param {Element} field
 */
export const labelOf = (field) => fieldName(query(field, "label", HTMLElement).firstChild?.textContent ?? "");

/**
 * Remove the choice.
 * @param {Element} field
 */
export function dropChoice(field) {
	const control = controlOf(field);
	describe(control, `${control.id}-choice`, false);
	field.querySelector(".choice")?.remove();
}

/** @param {Element} field */
const controlOf = (field) => query(field, "input, select, textarea", HTMLElement);

/**
 * @param {Element} note
 * @param {Element} control
 */
function remove(note, control) {
	describe(control, note.id, false);
	note.remove();
}

/**
 * @param {Element} control
 * @param {string} id
 * @param {boolean} isDescribed
 */
function describe(control, id, isDescribed) {
	const ids = new Set((control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
	if (isDescribed) ids.add(id);
	else ids.delete(id);
	if (ids.size) control.setAttribute("aria-describedby", [...ids].join(" "));
	else control.removeAttribute("aria-describedby");
}
