/** A user's initials and colour. The functions are pure, and follow the rules of the filters of portal/formatting.py. */

/**
 * Return "AL" for Ann Lee. The first character is a code point, so that no emoji or rare letter is cut in half.
 * @param {string[]} names
 */
export const initials = (...names) =>
	names
		.map((name) => [...name.trim()][0] ?? "")
		.join("")
		.toUpperCase() || "?";

/**
 * Return the class of the user's colour in components/avatars.css.
 * @param {number} id of the profile
 */
export const hueClass = (id) => `hue-${id % 12}`;
