/** The sentences of the page that removes a part of a record. The functions are pure. */
import { fullName, joinNames } from "../presence/ui/wording.js";

/** @typedef {import("../presence/sync/roster.js").User} User */

/**
 * Return "Daniel Okafor is editing ISA A0001: Provider. …"; "" if no user edits what would be removed.
 * @param {User[]} others
 * @param {string[]} prefixes how the names of what would be removed begin, each with a colon after it
 */
export function removalWarning(others, prefixes) {
	const sentences = others
		.filter(({ activity }) => activity === "editing")
		.map((user) => ({
			user,
			names: user.fields.filter((name) => prefixes.some((start) => `${name}:`.startsWith(start))),
		}))
		.filter(({ names }) => names.length)
		.map(
			({ user, names }) => `${fullName(user)} is editing ${joinNames(names)}${user.visible ? "" : ", away"}.`,
		);
	return sentences.length ? `${sentences.join(" ")} Their changes cannot be saved after the removal.` : "";
}
