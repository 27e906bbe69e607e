// @ts-check
/**
 * Marks on a field of a form: a note beside its label, a choice below its control; the control is described by both.
 * How they look: components/field.css, editing/field-choice.css.
 */
import { make, write } from "../../lib/dom.js";
import { fieldName } from "../changes.js";

/**
 * A note beside the label, "" takes it away.
 * @param {Element} field @param {string} kind one note of each @param {string} text
 * @param {[label: string, act: () => void]} [way] a button behind it
 */
export function setNote(field, kind, text, way) {
	const control = controlOf(field);
	const id = `${control.id}-${kind}`;
	const known = document.getElementById(id);
	if (text && !way && known && !known.firstElementChild) return write(known, text);
	remove(known, control);
	if (!text) return;
	const note = make("span", { id, className: "note" }, text);
	if (way) note.append(" · ", button(field, ...way));
	field.querySelector(".field-head").append(note);
	describe(control, id, true);
}

/**
 * A sentence and the ways on; each takes it away and leads back to the control.
 * @param {Element} field @param {string} text @param {[label: string, act: () => void][]} ways
 * @param {Element} [difference] what others have done
 */
export function setChoice(field, text, ways, difference) {
	dropChoice(field);
	const id = `${controlOf(field).id}-choice`;
	const choice = make(
		"div",
		{ className: "choice" },
		make("p", { id }, text),
		...(difference ? [difference] : []),
	);
	for (const [label, act] of ways) choice.append(button(field, label, act));
	field.append(choice);
	describe(controlOf(field), id, true);
}

/** Names its field to those who hear it alone. */
function button(field, label, act) {
	const named = `${label}: ${labelOf(field)}`;
	const made = make("button", { type: "button", className: "button small", ariaLabel: named }, label);
	made.addEventListener("click", () => {
		controlOf(field).focus();
		dropChoice(field);
		act();
	});
	return made;
}

/** Without a badge inside it. @param {Element} field */
export const labelOf = (field) => fieldName(field.querySelector("label").firstChild.textContent);

/** @param {Element} field */
export function dropChoice(field) {
	const control = controlOf(field);
	describe(control, `${control.id}-choice`, false);
	field.querySelector(".choice")?.remove();
}

const controlOf = (field) => field.querySelector("input, select, textarea");

function remove(note, control) {
	if (!note) return;
	describe(control, note.id, false);
	note.remove();
}

function describe(control, id, is) {
	const ids = new Set((control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
	if (is) ids.add(id);
	else ids.delete(id);
	if (ids.size) control.setAttribute("aria-describedby", [...ids].join(" "));
	else control.removeAttribute("aria-describedby");
}
