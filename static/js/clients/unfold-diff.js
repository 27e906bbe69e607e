// @ts-check
/**
 * A change of a long text in the history, compared and fetched when a person unfolds it.
 *
 * Reads:  <details data-unfold="the page of this change alone"> inside an element with data-line, which both pages have;
 *         the page's live region [data-live]: what is put there later is heard too.
 * Sets:   data-unfolded on the details, which morph.js leaves alone: a change that was accepted stays as it is.
 */
import { HttpError } from "../lib/http.js";
import { fetchPage } from "../lib/live-parts.js";

document.addEventListener("toggle", ({ target }) => unfold(target), true);

/** @param {HTMLDetailsElement} details */
async function unfold(details) {
	const { unfold: url, unfolded } = details.dataset;
	if (!url || unfolded || !details.open) return;
	try {
		const line = details.closest("[data-line]").getAttribute("data-line");
		const page = await fetchPage(url);
		const shown = page.querySelector(`[data-line="${line}"]`);
		details.replaceChildren(details.querySelector("summary"), ...document.importNode(shown, true).childNodes);
		details.dataset.unfolded = "";
	} catch (error) {
		if (!(error instanceof HttpError)) throw error; // the link to the page is still there
	}
}
