// @ts-check
/**
 * Says beside a field by how much its text is too long, while it is typed or pasted; nothing is cut. The server says the same.
 * Reads: data-max-characters. form.js brings this when a field is too long for the first time.
 */
import { make, write } from "../lib/dom.js";
import { characters, isTooLong } from "./changes.js";

/** @param {HTMLInputElement|HTMLTextAreaElement} control */
export function sayTooLong(control) {
	const id = `${control.id}-error`;
	const known = document.getElementById(id);
	if (!isTooLong(control)) {
		if (!known || !("tooLong" in known.dataset)) return;
		known.remove();
		control.removeAttribute("aria-invalid");
		describe(control, (ids) => ids.delete(id));
		return;
	}
	const error = known ?? make("p", { id, className: "error" });
	error.dataset.tooLong = "";
	write(error, sentence(characters(control.value), Number(control.dataset.maxCharacters)));
	if (known) return;
	control.after(error);
	control.ariaInvalid = "true";
	describe(control, (ids) => ids.add(id));
}

function sentence(length, most) {
	const [has, limit, tooMany] = [length, most, length - most].map((number) => number.toLocaleString("en-GB"));
	return `Use at most ${limit} characters. This has ${has}: ${tooMany} too many.`;
}

function describe(control, change) {
	const ids = new Set((control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
	change(ids);
	control.setAttribute("aria-describedby", [...ids].join(" "));
}
