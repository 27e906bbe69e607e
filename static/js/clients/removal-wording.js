// @ts-check
/** What the page that removes a part says of those who edit it. Pure. */
import { fullName, inWords } from "../presence/ui/wording.js";

/** @typedef {import("../presence/sync/roster.js").User} User */

/**
 * "Daniel Okafor is editing ISA A0001: Provider. …", "" where nobody edits it.
 * @param {User[]} others @param {string[]} prefixes how the names of what would go begin, each with a colon after it
 */
export function whoEditsWhatGoes(others, prefixes) {
	const sentences = others
		.filter(({ activity }) => activity === "editing")
		.map((user) => ({
			user,
			names: user.fields.filter((name) => prefixes.some((start) => `${name}:`.startsWith(start))),
		}))
		.filter(({ names }) => names.length)
		.map(
			({ user, names }) => `${fullName(user)} is editing ${inWords(names)}${user.visible ? "" : ", away"}.`,
		);
	return sentences.length ? `${sentences.join(" ")} Their changes cannot be saved after the removal.` : "";
}
