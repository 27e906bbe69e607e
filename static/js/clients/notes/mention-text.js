/** What of a text is a mention that is being typed, and which users it may mean. The functions are pure. */

/** @typedef {{name: string, mention: string}} User mention: what follows the `@` */

const MAX_OFFERED = 8;
const MAX_QUERY_CHARACTERS = 60;

/**
 * Return the start of the `@` before the caret and what follows it; null if the caret is in no mention.
 * @param {string} text
 * @param {number} caret
 */
export function mentionAt(text, caret) {
	const start = text.lastIndexOf("@", caret - 1);
	if (start < 0 || caret - start > MAX_QUERY_CHARACTERS || /[\p{L}\p{N}_]$/u.test(text.slice(0, start)))
		return null;
	const typed = text.slice(start + 1, caret);
	return /\n/.test(typed) || typed.startsWith(" ") ? null : { start, typed };
}

/**
 * Return the users whose first, last or full name begins with what was typed. None once a whole name is there.
 * @param {User[]} users
 * @param {string} typed
 */
export function usersFor(users, typed) {
	const wanted = typed.toLowerCase();
	if (users.some(({ mention }) => wanted.startsWith(mention.toLowerCase()))) return [];
	const isWanted = (/** @type {User} */ { name }) =>
		[name, ...name.split(" ").slice(1)].some((part) => part.toLowerCase().startsWith(wanted));
	return users.filter(isWanted).slice(0, MAX_OFFERED);
}
