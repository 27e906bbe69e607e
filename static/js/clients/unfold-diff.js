/**
 * The comparison of a long text in the history, loaded when the user unfolds it.
 *
 * Reads: <details data-unfold="the URL of a page with this change alone"> inside an element with data-line, which both
 *        pages have. Elements that are added to the page later work too.
 * Sets:  data-unfolded on the details, which lib/morph.js leaves alone: an accepted change does not change any more.
 *
 * @example <dd data-line="phone"><details data-unfold="/clients/42/history/7"><summary>Compare</summary></details></dd>
 */
import { query, queryAll } from "../lib/dom.js";
import { HttpError } from "../lib/http.js";
import { fetchPage } from "../lib/live-parts.js";

document.addEventListener(
	"toggle",
	({ target }) => target instanceof HTMLDetailsElement && unfold(target),
	true,
);
// The user may have unfolded one before this module was loaded.
for (const details of queryAll(document, "details[data-unfold]", HTMLDetailsElement)) unfold(details);

/** @param {HTMLDetailsElement} details */
async function unfold(details) {
	const { unfold: url, unfolded } = details.dataset;
	if (!url || unfolded || !details.open) return;
	try {
		const line = details.closest("[data-line]")?.getAttribute("data-line");
		const shown = query(await fetchPage(url), `[data-line="${line}"]`, HTMLElement);
		const content = document.importNode(shown, true).childNodes;
		details.replaceChildren(query(details, "summary", HTMLElement), ...content);
		details.dataset.unfolded = "";
	} catch (error) {
		if (!(error instanceof HttpError)) throw error; // the link to the page still works
	}
}
