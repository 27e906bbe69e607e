/**
 * Shows a client's new name in an open editor: in the breadcrumb, the heading and the tab's title.
 *
 * Reads: data-names-client on elements whose text contains the name.
 *
 * @example <h1 data-names-client>Edit Whitmore Family</h1>
 */
import { getTitle, setTitle } from "../../lib/page-title.js";
import { queryAll } from "../../lib/dom.js";

/**
 * Replace the name.
 * @param {string} before
 * @param {string} after
 */
export function rename(before, after) {
	const renamed = (/** @type {string} */ text) => text.replace(before, () => after);
	for (const element of queryAll(document, "[data-names-client]", HTMLElement)) {
		element.textContent = renamed(element.textContent);
		if (element.nodeName === "H1") setTitle(renamed(getTitle()));
	}
}
