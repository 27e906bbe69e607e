// @ts-check
/** How a person is abbreviated. Pure; the same rules as the filters of portal/formatting.py. */

/** "AL" for Ann Lee. By code point, so that no letter is cut in half. @param {string[]} names */
export const initials = (...names) =>
	names
		.map((name) => [...name.trim()][0] ?? "")
		.join("")
		.toUpperCase() || "?";

/** A class of components/avatars.css. @param {number} id of the profile */
export const hueClass = (id) => `hue-${id % 12}`;
