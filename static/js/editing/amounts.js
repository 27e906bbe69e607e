/** Amounts in pounds as users type and read them. The functions are pure. portal/clients/editor/form_fields.py parses them. */

const MAX_DIGITS = 12;

/**
 * Return "1234567.5" for "£1,234,567.5". Commas that separate no thousands stay, so that "0,075" is no number.
 * @param {string} text
 */
export const plainAmount = (text) =>
	text
		.trim()
		.replace(/^£\s*/, "")
		.replace(/^[1-9]\d{0,2}(,\d{3})+(?![\d,])/, (pounds) => pounds.replaceAll(",", ""));

/**
 * Return "1,234,567.50" for "1234567.5" and "£1234567.5", and any text that is no amount as it is.
 * @param {string} text
 */
export function formatAmount(text) {
	const [, pounds, pence = ""] = /^0*(\d+)(?:\.(\d{1,2}))?$/.exec(plainAmount(text)) ?? [];
	if (!pounds || pounds.length > MAX_DIGITS) return text;
	return `${pounds.replace(/\B(?=(\d{3})+$)/g, ",")}.${pence.padEnd(2, "0")}`;
}

/**
 * Return the hint of an amount that the user has changed: "Pounds a year · saved: £1,200.00".
 * @param {string} instruction
 * @param {string} saved "1,200.00"; "" for none
 */
export const amountHint = (instruction, saved) => (saved ? `${instruction} · saved: £${saved}` : instruction);
