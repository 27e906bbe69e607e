/**
 * Updates ages while a page is open: "less than a minute ago" becomes "1 minute ago".
 *
 * Reads:  data-age-seconds of <time>, the age when the server wrote it.
 * Markup: templates/shared/_time.html.
 *
 * An age counts from the arrival of the page, or from when this module first finds an element that is added later. So
 * the browser's clock need not agree with the server's.
 *
 * @example <time datetime="2026-11-22T10:42:00Z" data-age-seconds="12">less than a minute ago</time>
 */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = [
	{ unit: "year", seconds: 365 * DAY },
	{ unit: "month", seconds: 30 * DAY },
	{ unit: "week", seconds: 7 * DAY },
];

/** @type {WeakMap<Element, {written: string, atMs: number}>} each element's time; written: the server's attributes */
const moments = new WeakMap();
/** The arrival of elements that are not in `moments` yet. */
let arrivedMs = performance.timeOrigin;

/** Update all ages. */
export function drawAges() {
	const nowMs = Date.now();
	for (const element of document.querySelectorAll("time[data-age-seconds]")) {
		const words = ageInWords((nowMs - momentOf(/** @type {HTMLTimeElement} */ (element))) / 1000);
		// The same text node keeps the user's selection.
		const text = element.firstChild;
		if (text && text.nodeValue !== words) text.nodeValue = words;
	}
	arrivedMs = nowMs;
}

/**
 * Return an element's time in ms. A live update may have changed the element's time or age.
 * @param {HTMLTimeElement} element
 */
function momentOf(element) {
	const written = `${element.dateTime} ${element.dataset.ageSeconds}`;
	const found = moments.get(element);
	if (found?.written === written) return found.atMs;
	const atMs = arrivedMs - Number(element.dataset.ageSeconds) * 1000;
	moments.set(element, { written, atMs });
	return atMs;
}

/**
 * Return an age in the words of `ago` in portal/formatting.py.
 * @param {number} seconds
 */
export function ageInWords(seconds) {
	if (seconds < MINUTE) return "less than a minute ago";
	if (seconds < HOUR) return `${count(seconds / MINUTE, "minute")} ago`;
	if (seconds < DAY) return `${count(seconds / HOUR, "hour")} ago`;
	const { unit, seconds: length } = UNITS.find((each) => seconds >= 2 * each.seconds) ?? {
		unit: "day",
		seconds: DAY,
	};
	return `${count(seconds / length, unit)} ago`;
}

/**
 * @param {number} number
 * @param {string} unit
 */
function count(number, unit) {
	const whole = Math.floor(number);
	return `${whole} ${unit}${whole === 1 ? "" : "s"}`;
}
