/** Which option of a list is active, and the sentence about the results. Pure. */

/**
 * Return the option that a key makes active, or undefined for other keys.
 * @param {string} key
 * @param {number} active -1: none
 * @param {number} count
 */
export function activeAfter(key, active, count) {
	if (!count) return undefined;
	switch (key) {
		case "ArrowDown":
			return (active + 1) % count;
		case "ArrowUp":
			return active > 0 ? active - 1 : count - 1;
		case "Home":
			return 0;
		case "End":
			return count - 1;
		default:
			return undefined;
	}
}

/**
 * Return the sentence about the results of a text.
 * @param {string} text
 * @param {number} shown
 * @param {number} total
 */
export function summaryOf(text, shown, total) {
	if (!text) return shown ? "Your recent clients" : "Clients that you open appear here.";
	if (!total) return `No client matches “${text}”.`;
	if (shown < total) return `The best ${shown} of ${total.toLocaleString("en-GB")} clients`;
	return total === 1 ? "1 client" : `${total} clients`;
}

/**
 * Return the sentence about a search that failed.
 * @param {number} status of the response, 0 without one
 */
export function failureOf(status) {
	if (status === 401) return "You are signed out. Load the page again to sign in.";
	return "The server cannot be reached. Type on to try again.";
}
