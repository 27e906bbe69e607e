/** The title of the tab. While the tab is hidden, the newest announcement of a component precedes it. */

let title = document.title;
/** @type {Map<string, {text: string, isForOnce: boolean}>} by component, the newest last */
const announcements = new Map();

export const getTitle = () => title;

/**
 * Give the page another title.
 * @param {string} text
 */
export function setTitle(text) {
	title = text;
	draw();
}

/**
 * Set or remove a component's announcement.
 * @param {string} component
 * @param {string} text "" removes it
 * @param {{once?: boolean}} [options] once: remove it as soon as the user sees the page
 */
export function announce(component, text, { once = false } = {}) {
	announcements.delete(component);
	if (text) announcements.set(component, { text, isForOnce: once });
	draw();
}

function draw() {
	for (const [component, { isForOnce }] of announcements)
		if (isForOnce && !document.hidden) announcements.delete(component);
	const newest = Array.from(announcements.values()).at(-1);
	document.title = newest && document.hidden ? `${newest.text} – ${title}` : title;
}

document.addEventListener("visibilitychange", draw);
