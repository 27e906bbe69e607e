// @ts-check
/** The script of pages with an editor; comes after main.js, whose elements hear what forms report. */
import { watchForm } from "./form.js";
import { watchOthers } from "./incoming.js";

// Who types something else on the conflict page has chosen it.
for (const option of document.querySelectorAll(".option"))
	option.addEventListener("input", ({ target }) => {
		if (target.type !== "radio") option.querySelector("input").checked = true;
	});
for (const form of document.querySelectorAll("form[data-edit-form]")) {
	watchForm(form);
	watchOthers(form, document.querySelector("presence-page"));
}
