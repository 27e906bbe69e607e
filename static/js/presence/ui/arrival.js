/**
 * Opens the Concurrent Access dialog in an editor that the user has opened by its address, a bookmark or a link in
 * another tab. Until the user answers, their tab does not edit. A user who does not edit goes to the page of the record,
 * and waits there if they have chosen to.
 *
 * Reads: data-conflicting, as JSON the users about whom the dialog asks; data-back-url, the page of the record.
 */
import { queryAll } from "../../lib/dom.js";
import { leaveNote } from "../../lib/tab-notes.js";
import { withProceeded } from "./modal.js";

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
		if (!document.activeElement?.closest("form[data-edit-form]")) firstField()?.focus();
		return;
	}
	if (answer === "wait") leaveNote("wait", page.page, withProceeded(location.href, false));
	location.replace(backUrl ?? "/");
}

/** Return the field that the address names, else the first one. */
function firstField() {
	const fields = queryAll(document, "form[data-edit-form] .field :is(input, select, textarea)", HTMLElement);
	return fields.find(({ id }) => id && `#${id}` === location.hash) ?? fields[0];
}
