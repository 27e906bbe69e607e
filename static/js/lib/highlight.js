/** Highlights an element that has changed by itself, for a few seconds. The style is in editing/highlight.css. */

const DURATION_MS = 4000;

/** @param {Element} element */
export function highlight(element) {
	if (element instanceof SVGElement) return; // the style needs a background and a box
	element.classList.add("just-changed");
	setTimeout(() => element.classList.remove("just-changed"), DURATION_MS);
}
