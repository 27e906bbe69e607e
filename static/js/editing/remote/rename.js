/**
 * Shows a client's new name: in the breadcrumb, the heading and the tab's title.
 *
 * Reads: data-client-name on elements that contain the name alone.
 *
 * @example <h1>Edit <span data-client-name>Whitmore Family</span></h1>
 */
import { getTitle, setTitle } from "../../lib/page-title.js";
import { queryAll } from "../../lib/dom.js";
import { newer } from "./revisions.js";

/**
 * Show the newest name, if the changes contain one. The page may show it already.
 * @param {import("./revisions.js").Revision[]} changes
 */
export function showNewName(changes) {
	const { raw: name } = newer(changes, "").find((each) => each.name === "name") ?? {};
	if (!name) return;
	for (const element of queryAll(document, "[data-client-name]", HTMLElement)) {
		const { textContent: shown } = element;
		element.textContent = name;
		if (element.closest("h1")) setTitle(getTitle().replace(shown, () => name));
	}
}
