// @ts-check
/** Shows for a few seconds what has just changed by itself. How it looks: editing/highlight.css. */

const SHOWN_MS = 4000;

/** @param {Element} element */
export function highlight(element) {
	if (element instanceof SVGElement) return; // has neither background nor box
	element.classList.add("fresh");
	setTimeout(() => element.classList.remove("fresh"), SHOWN_MS);
}
