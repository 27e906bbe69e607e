// @ts-check
/**
 * Puts a client's new name where an open editor shows the old one: breadcrumb, heading and the tab's title.
 *
 * Reads:  data-names-client on elements whose text contains the name.
 */
import { pageTitle, retitle } from "../../lib/page-title.js";

/** @param {string} before @param {string} after */
export function rename(before, after) {
	const renamed = (/** @type {string} */ text) => text.replace(before, () => after);
	for (const element of document.querySelectorAll("[data-names-client]")) {
		element.textContent = renamed(element.textContent);
		if (element.nodeName === "H1") retitle(renamed(pageTitle()));
	}
}
