// @ts-check
/**
 * Marks on a field of a form: a note beside its label, a choice below its control; the control is described by both.
 * How they look: components/field.css, components/choice.css.
 */
import { make, write } from "../markup.js";

/** A note beside the label, "" takes it away. @param {Element} field @param {string} kind one note of each @param {string} text */
export function setNote(field, kind, text) {
	const control = controlOf(field);
	const id = `${control.id}-${kind}`;
	const known = document.getElementById(id);
	if (!text) return remove(known, control);
	if (known) write(known, text);
	else field.querySelector(".field-head").append(make("span", { id, className: "note" }, text));
	describe(control, id, true);
}

/**
 * A sentence and the two ways on; both take it away and lead back to the control.
 * @param {Element} field @param {string} text @param {{take: () => void, keep: () => void}} decide
 */
export function setChoice(field, text, { take, keep }) {
	dropChoice(field);
	const control = controlOf(field);
	const id = `${control.id}-choice`;
	const button = (label, decided) => {
		const made = make("button", { type: "button", className: "button small" }, label);
		made.addEventListener("click", () => {
			control.focus();
			dropChoice(field);
			decided();
		});
		return made;
	};
	const choice = make("div", { className: "choice" }, make("p", { id }, text));
	choice.append(button("Take theirs", take), button("Keep mine", keep));
	field.append(choice);
	describe(control, id, true);
}

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
