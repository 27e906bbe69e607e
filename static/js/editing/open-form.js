/**
 * Opens a form as an editor: on a page of its own (entry/editor.js), or in the place of a card (clients/card-editor.js).
 * A module of its own shows where other users are and what they save. It is loaded when there are other users, or when
 * one has saved. Another one shows what they type and have not saved, loaded with the first such value.
 *
 * Reads:   the form's hidden `version`; what form.js and remote/incoming.js read.
 * Listens: `portal:roster`, `portal:saved`, `portal:locate`, `portal:drafts`.
 *
 * @example openForm(form, document.querySelector("presence-page"));
 */
import { on } from "../lib/events.js";
import { queryAll } from "../lib/dom.js";
import { loadOn, loadStylesheet, once } from "../lib/lazy.js";
import { myId } from "../session/session.js";
import { controlNamed } from "./controls.js";
import { watchForm } from "./form.js";
import { keepFocusAbove } from "./focus-above-bar.js";

/**
 * @param {HTMLFormElement} form
 * @param {import("../presence/sync/page.js").PresencePage|null} page
 * @param {import("./form.js").FormOptions} [options]
 */
export function openForm(form, page, options = {}) {
	const { signal } = options;
	const editor = watchForm(form, options);
	for (const bar of queryAll(form, ".save-bar", HTMLElement)) keepFocusAbove(bar, signal);
	const enhance = () => enhanceFields(form);
	for (const type of ["focusin", "pointerover"]) form.addEventListener(type, enhance, { once: true });
	const version = Number(controlNamed(form, "version")?.value);
	let isWatching = false;
	const watch = once(async () => {
		const [{ watchOthers }] = await Promise.all([
			import("./remote/incoming.js"),
			loadStylesheet("editing/field-choice"),
			loadStylesheet("editing/highlight"),
			loadStylesheet("editing/rail"),
		]);
		if (!signal?.aborted) watchOthers(form, page, { version, signal });
		isWatching = true;
	});
	const tryToWatch = () => watch().catch(() => {}); // the server cannot be reached: the next roster tries again
	on("roster", ({ others }) => others.length && tryToWatch(), signal);
	loadOn(["saved", "locate"], watch, () => !isWatching, signal);
	const watchValues = async () => {
		const loading = import("./unsaved/unsaved.js");
		await loadStylesheet("editing/unsaved");
		const { watchUnsaved } = await loading;
		if (page && !signal?.aborted) watchUnsaved(form, page, signal);
	};
	loadOn(["drafts"], watchValues, ({ drafts }) => drafts.some(({ user }) => user !== myId()), signal);
	if (page?.others.length || version < Number(page?.dataset.version)) tryToWatch();
	return editor;
}

/**
 * Load the calendar, the read-back of dates and the format of amounts when the user begins to use the form. Users can type
 * dates and amounts without them.
 * @param {HTMLFormElement} form
 */
async function enhanceFields(form) {
	const days = queryAll(form, "[data-day]", HTMLInputElement);
	const amounts = queryAll(form, "[data-amount]", HTMLInputElement);
	if (amounts.length) {
		const { enhanceAmountField } = await import("./amount-fields.js");
		for (const control of amounts) enhanceAmountField(control);
	}
	if (!days.length) return;
	const { enhanceDateField } = await import("./date-fields.js");
	for (const control of days) enhanceDateField(control);
}
