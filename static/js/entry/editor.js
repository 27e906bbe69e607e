/**
 * The script of pages with an editor. entry/every-page.js runs before it, and defines the elements that listen to the
 * forms. A module of its own shows what other users type and save. It is loaded when there are other users, or when one
 * has saved.
 */
import { fire, on } from "../lib/events.js";
import { queryAll } from "../lib/dom.js";
import { loadStylesheet } from "../lib/lazy.js";
import { controlNamed } from "../editing/controls.js";
import { watchForm } from "../editing/form.js";

const page = /** @type {import("../presence/sync/page.js").PresencePage|null} */ (
	document.querySelector("presence-page")
);
const forms = queryAll(document, "form[data-edit-form]", HTMLFormElement);
for (const form of forms) {
	watchForm(form);
	const enhance = () => enhanceDateFields(form);
	for (const type of ["focusin", "pointerover"]) form.addEventListener(type, enhance, { once: true });
	// The user has not seen what was saved since they started, even if the page itself is newer than that.
	if (page && controlNamed(form, "seen")) page.dataset.version = controlNamed(form, "version")?.value;
}

/**
 * Load the calendar and the read-back of dates when the user begins to use the form. Users can type dates without them.
 * @param {HTMLFormElement} form
 */
async function enhanceDateFields(form) {
	const controls = queryAll(form, "[data-day]", HTMLInputElement);
	if (!controls.length) return;
	const { enhanceDateField } = await import("../editing/date-fields.js");
	for (const control of controls) enhanceDateField(control);
}

/** @type {Promise<void>|undefined} */
let watching;
let isWatching = false; // `watching` is set while the modules load
const watch = () => {
	watching ??= Promise.all([
		import("../editing/remote/incoming.js"),
		loadStylesheet("editing/field-choice"),
		loadStylesheet("editing/highlight"),
	]).then(
		([{ watchOthers }]) => {
			for (const form of forms) watchOthers(form, page);
			isWatching = true;
		},
		() => {
			watching = undefined; // the server cannot be reached: the next roster tries again
		},
	);
	return watching;
};
on("roster", ({ others }) => others.length && watch());
// An event that comes before the module is loaded is fired again for it.
on("saved", (detail) => isWatching || watch().then(() => isWatching && fire("saved", detail)));
on("locate", (detail) => isWatching || watch().then(() => isWatching && fire("locate", detail)));
if (page?.others.length) watch();
