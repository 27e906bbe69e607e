// @ts-check
/** What the tab's title says while nobody sees the page. */

const title = document.title;
let news = "";
let isForOnce = false;

/** @param {string} text "" for nothing @param {{once?: boolean}} [how] once: until the page is seen */
export function announce(text, { once = false } = {}) {
	news = text;
	isForOnce = once;
	draw();
}

function draw() {
	if (isForOnce && !document.hidden) news = "";
	document.title = news && document.hidden ? `${news} – ${title}` : title;
}

document.addEventListener("visibilitychange", draw);
