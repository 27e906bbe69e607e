/**
 * The script of pages with an editor. entry/every-page.js runs before it, and defines the elements that listen to the
 * forms.
 */
import { queryAll } from "../lib/dom.js";
import { controlNamed } from "../editing/controls.js";
import { openForm } from "../editing/open-form.js";

const page = /** @type {import("../presence/sync/page.js").PresencePage|null} */ (
	document.querySelector("presence-page")
);
for (const form of queryAll(document, "form[data-edit-form]", HTMLFormElement)) {
	// The user has not seen what was saved since they started, even if the page itself is newer than that.
	if (page && controlNamed(form, "seen")) page.dataset.version = controlNamed(form, "version")?.value;
	openForm(form, page);
}
