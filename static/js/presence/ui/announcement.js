// @ts-check
/** The sentence that screen readers say of the toasts of two seconds. Pure. */
import { fullName } from "./wording.js";

/** @typedef {import("../sync/roster.js").User} User */
/** @typedef {{joined: User[], left: User[], news: string[]}} Collected */

/**
 * "Ann Lee and Bo Day joined this page; Cy Fox left this page."
 * @param {Collected} collected
 */
export function announcement({ joined, left, news }) {
	const doings = [
		...(joined.length ? [`${listed(joined.map(fullName))} joined this page`] : []),
		...(left.length ? [`${listed(left.map(fullName))} left this page`] : []),
	];
	return [...news, ...(doings.length ? [`${doings.join("; ")}.`] : [])].join(" ");
}

/**
 * "Ann Lee", "Ann Lee and Bo Day", "Ann Lee, Bo Day and 2 others"
 * @param {string[]} names
 */
function listed(names) {
	const rest = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} others`] : names;
	return [rest.slice(0, -1).join(", "), rest.at(-1)].filter(Boolean).join(" and ");
}
