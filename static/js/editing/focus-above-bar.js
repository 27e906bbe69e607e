/**
 * Keeps the focus of the keyboard in sight above the bar at the foot of a form, whose height differs with what it says.
 *
 * Sets: --save-bar of the document, which is the lower end of its scroll padding (editing/editor.css).
 *
 * @example keepFocusAbove(bar);
 */

/**
 * Follow the height of the bar. Where it grows over the focused control, the page scrolls.
 * @param {Element} bar
 * @param {AbortSignal} [signal] ends the following
 */
export function keepFocusAbove(bar, signal) {
	const observer = new ResizeObserver(() => {
		const { top, height } = bar.getBoundingClientRect();
		document.documentElement.style.setProperty("--save-bar", `${Math.ceil(height)}px`);
		const { activeElement } = document;
		if (!activeElement?.closest("form")?.contains(bar) || bar.contains(activeElement)) return;
		const focused = activeElement.getBoundingClientRect();
		const isCovered = focused.top < top && focused.bottom > top;
		if (isCovered) scrollBy({ top: focused.bottom - top, behavior: "instant" });
	});
	observer.observe(bar);
	signal?.addEventListener("abort", () => observer.disconnect());
}
