// @ts-check
/**
 * Keeps ages true while a page is open: "less than a minute ago" becomes "1 minute ago".
 *
 * Reads:  data-age-seconds of <time>, the age when the server wrote it. Markup: templates/shared/_time.html.
 *
 * An age counts from when the page arrived, or from when this module first finds an element that came later. So it does not
 * matter whether the browser's clock agrees with the server's.
 */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = [
	{ unit: "year", seconds: 365 * DAY },
	{ unit: "month", seconds: 30 * DAY },
	{ unit: "week", seconds: 7 * DAY },
];

/** @type {WeakMap<Element, {written: string, atMs: number}>} the moments, and what the server had written of them */
const moments = new WeakMap();
/** When an element arrived that is not known yet. */
let arrivedMs = performance.timeOrigin;

/** Writes all ages as they are now. */
export function drawAges() {
	const nowMs = Date.now();
	for (const element of document.querySelectorAll("time[data-age-seconds]")) {
		const words = ageInWords((nowMs - momentOf(/** @type {HTMLTimeElement} */ (element))) / 1000);
		// The text node stays, and with it what the user has selected.
		const text = element.firstChild;
		if (text && text.nodeValue !== words) text.nodeValue = words;
	}
	arrivedMs = nowMs;
}

/** A live update may have written another moment, or a newer age, into the same element. @param {HTMLTimeElement} element */
function momentOf(element) {
	const written = `${element.dateTime} ${element.dataset.ageSeconds}`;
	const found = moments.get(element);
	if (found?.written === written) return found.atMs;
	const atMs = arrivedMs - Number(element.dataset.ageSeconds) * 1000;
	moments.set(element, { written, atMs });
	return atMs;
}

/** The words of portal/formatting.py: ago. @param {number} seconds */
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

/** @param {number} number @param {string} unit */
function count(number, unit) {
	const whole = Math.floor(number);
	return `${whole} ${unit}${whole === 1 ? "" : "s"}`;
}
