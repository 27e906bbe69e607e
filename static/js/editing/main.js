// @ts-check
/** The script of pages with an editor; comes after main.js, whose elements hear what forms report. */
import { watchForm } from "./form.js";
import { watchOthers } from "./incoming.js";

for (const form of document.querySelectorAll("form[data-edit-form]")) {
	watchForm(form);
	watchOthers(form, document.querySelector("presence-page"));
}
