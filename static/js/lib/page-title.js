// @ts-check
/** What the tab's title says while nobody sees the page: of several who have something to say, the last. */

let title = document.title;
/** @type {Map<string, {text: string, isForOnce: boolean}>} */
const said = new Map();

export const pageTitle = () => title;

/** The page is called something else now. @param {string} text */
export function retitle(text) {
	title = text;
	draw();
}

/** @param {string} speaker @param {string} text "" for nothing more @param {{once?: boolean}} [how] once: until the page is seen */
export function announce(speaker, text, { once = false } = {}) {
	said.delete(speaker);
	if (text) said.set(speaker, { text, isForOnce: once });
	draw();
}

function draw() {
	for (const [speaker, { isForOnce }] of said) if (isForOnce && !document.hidden) said.delete(speaker);
	const news = Array.from(said.values()).at(-1);
	document.title = news && document.hidden ? `${news.text} – ${title}` : title;
}

document.addEventListener("visibilitychange", draw);
