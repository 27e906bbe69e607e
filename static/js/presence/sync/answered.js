/**
 * Whether the user of an editor has answered the question of the Concurrent Access dialog, so that it is asked once. The
 * answer belongs to the entry of the tab's history: it survives a reload and the back button. A bookmark, a typed address
 * and a link in another tab make new entries. The page that answers a form has no question: with a state, the browser
 * would reload it without sending the form again.
 */
import { queryAll } from "../../lib/dom.js";
import { leaveNote, takeNote } from "../../lib/tab-notes.js";

/** What an editor reports until the user has answered. */
export const VIEWING = { activity: /** @type {const} */ ("viewing"), fields: [], focus: null };

/**
 * Record for the editor that this tab opens next that the user has answered.
 * @param {string} page "client-42"
 */
export const leaveAnswer = (page) => leaveNote("answered", page);

/**
 * Mark the editor's URL, so that the history says that the user proceeded although others were on the page.
 * @param {string} href
 * @param {boolean} [hasProceeded] false removes the mark
 */
export function withProceeded(href, hasProceeded = true) {
	const url = new URL(href);
	if (hasProceeded) url.searchParams.set("proceeded", "1");
	else url.searchParams.delete("proceeded");
	return url.href;
}

/**
 * Record that the user of this editor has answered. The mark of the address goes to the form and to the history entry,
 * because a bookmark or a copy of the address must not answer.
 * @param {boolean} hasProceeded although other users were there, which the history of the record says
 */
export function rememberAnswer(hasProceeded) {
	const url = new URL(location.href);
	url.searchParams.delete("proceeded");
	history.replaceState({ isAnswered: true, hasProceeded }, "", url);
	for (const input of queryAll(document, "[data-edit-form] [name=proceeded]", HTMLInputElement))
		input.value = hasProceeded ? "1" : "";
}

/**
 * Return whether this editor must ask its user first. Otherwise remember that it need not ask later.
 * @param {string} page
 * @param {string} [conflicting] as JSON the users about whom the editor asks; undefined on other pages
 */
export function isQuestionOpen(page, conflicting) {
	if (!conflicting) return false;
	const hasNote = takeNote("answered", page) !== null;
	const { isAnswered = false, hasProceeded = false } = history.state ?? {};
	if (conflicting !== "[]" && !hasNote && !isAnswered) return true;
	const isMarked = new URLSearchParams(location.search).has("proceeded");
	rememberAnswer(hasProceeded || (hasNote && isMarked));
	return false;
}
