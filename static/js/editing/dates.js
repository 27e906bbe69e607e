/**
 * Dates as users type them and as fields show them. The functions are pure, and read what portal/dates.py reads
 * (tests/days.json).
 */

const MONTHS = "January February March April May June July August September October November December".split(
	" ",
);
const ISO = /^(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})$/;
const TYPED =
	/^(?<day>\d{1,2})(?:st|nd|rd|th)?[\s./-]+(?<month>\d{1,2}|[a-z]{3,20})\.?[\s,./-]+(?<year>\d{4})$/i;

/**
 * Return "2026-12-08" for "8/12/2026" or "8 Dec 2026"; "" for a text that is no date.
 * @param {string} text
 */
export function parseDate(text) {
	const { year, month, day } = (text.trim().match(ISO) ?? text.trim().match(TYPED))?.groups ?? {};
	if (!year) return "";
	const word = month.toLowerCase();
	const number = Number(month) || MONTHS.findIndex((name) => name.toLowerCase().startsWith(word)) + 1;
	const iso = `${year}-${String(number).padStart(2, "0")}-${day.padStart(2, "0")}`;
	const read = new Date(`${iso}T00:00Z`);
	// A browser may read 30 February as 2 March. Python has no year 0.
	return year !== "0000" && read.getUTCDate() === Number(day) ? iso : "";
}

/**
 * Return "8 December 2026" for "2026-12-08"; "" for "".
 * @param {string} iso
 */
export function formatDate(iso) {
	const [year, month, day] = iso.split("-");
	return day ? `${Number(day)} ${MONTHS[Number(month) - 1]} ${year}` : "";
}

/**
 * Return "Tuesday 8 December 2026"; "" for "".
 * @param {string} iso
 */
export function formatLongDate(iso) {
	if (!iso) return "";
	const weekday = new Date(`${iso}T00:00Z`).toLocaleDateString("en-GB", { weekday: "long", timeZone: "UTC" });
	return `${weekday} ${formatDate(iso)}`;
}
