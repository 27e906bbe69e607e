/**
 * An error beside a field that says by how much its text is too long, while the user types or pastes. Nothing is cut.
 * The server rejects such a text with the same message. form.js imports this module when a field is too long for the
 * first time.
 *
 * Reads: data-max-characters of the control.
 *
 * @example <textarea id="notes" data-max-characters="10000"></textarea>
 */
import { createElement, setText } from "../lib/dom.js";
import { characters, isTooLong } from "./changes.js";

/**
 * Show or remove the error of a control.
 * @param {HTMLInputElement|HTMLTextAreaElement} control
 */
export function showTooLong(control) {
	const id = `${control.id}-error`;
	const known = document.getElementById(id);
	if (!isTooLong(control)) {
		if (!known || !("tooLong" in known.dataset)) return;
		known.remove();
		control.removeAttribute("aria-invalid");
		describe(control, (ids) => ids.delete(id));
		return;
	}
	const error = known ?? createElement("p", { id, className: "error" });
	error.dataset.tooLong = "";
	setText(error, sentence(characters(control.value), Number(control.dataset.maxCharacters)));
	if (known) return;
	control.after(error);
	control.ariaInvalid = "true";
	describe(control, (ids) => ids.add(id));
}

/**
 * @param {number} length
 * @param {number} max
 */
function sentence(length, max) {
	const [has, limit, excess] = [length, max, length - max].map((number) => number.toLocaleString("en-GB"));
	return `Use at most ${limit} characters. This has ${has}: ${excess} too many.`;
}

/**
 * @param {HTMLElement} control
 * @param {(ids: Set<string>) => void} change
 */
function describe(control, change) {
	const ids = new Set((control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
	change(ids);
	control.setAttribute("aria-describedby", [...ids].join(" "));
}
