/**
 * Opens the Concurrent Access dialog in an editor that the user has opened by its address, a bookmark or a link in
 * another tab. Until the user answers, their tab does not edit. A user who does not edit goes to the page of the record,
 * and waits there if they have chosen to.
 *
 * Reads: data-conflicting, as JSON the users about whom the dialog asks; data-back-url, the page of the record.
 */
import { leaveNote } from "../../lib/tab-notes.js";
import { firstControl } from "../../editing/controls.js";
import { withProceeded } from "../sync/answered.js";

/**
 * @param {import("../sync/page.js").PresencePage} page
 * @param {import("./modal.js").PresenceModal} modal
 */
export async function askOnArrival(page, modal) {
	if (!page.isAsking) return;
	const { conflicting, backUrl } = page.dataset;
	const answer = await modal.open(JSON.parse(conflicting ?? "[]"));
	if (answer === "edit" || answer === "proceed") {
		page.startEditing(answer === "proceed");
		// The dialog tells late that it has closed: the user may be in a field already.
		const form = document.querySelector("form[data-edit-form]");
		if (form && !form.contains(document.activeElement)) firstControl(form, location.hash)?.focus();
		return;
	}
	if (answer === "wait") leaveNote("wait", page.page, withProceeded(location.href, false));
	location.replace(backUrl ?? "/");
}
