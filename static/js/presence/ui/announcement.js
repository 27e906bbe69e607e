/** The sentence in which screen readers announce the toasts of two seconds. The functions are pure. */
import { fullName } from "./wording.js";

/** @typedef {import("../sync/roster.js").User} User */
/** @typedef {{joined: User[], left: User[]}} Collected */

/**
 * Return "Ann Lee and Bo Day joined this page; Cy Fox left this page."
 * @param {Collected} collected
 */
export function announcementText({ joined, left }) {
	const clauses = [
		...(joined.length ? [`${listed(joined.map(fullName))} joined this page`] : []),
		...(left.length ? [`${listed(left.map(fullName))} left this page`] : []),
	];
	return `${clauses.join("; ")}.`;
}

/**
 * Return "Ann Lee", "Ann Lee and Bo Day" or "Ann Lee, Bo Day and 2 others".
 * @param {string[]} names
 */
function listed(names) {
	const rest = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} others`] : names;
	return [rest.slice(0, -1).join(", "), rest.at(-1)].filter(Boolean).join(" and ");
}
