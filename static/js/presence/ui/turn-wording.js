/** The message to a user who has waited, and whose turn has come. */
import { joinNames } from "./wording.js";

/** @typedef {import("../../editing/remote/revisions.js").Revision} Revision */

/**
 * Return "Your turn. Changed while you waited: Address line 1 (Priya)"; "Your turn." if nothing has changed.
 * @param {{changes: Revision[], truncated?: boolean}} response to `GET /clients/<id>/changes` since the wait began
 * @param {number} myId whose own changes, in another tab, are left out
 */
export function turnText({ changes, truncated }, myId) {
	if (truncated) return "Your turn. This record has changed many times while you waited.";
	/** @type {Map<string, {what: string, author: string}>} the newest change of each field */
	const newest = new Map();
	for (const { by, by_id, fields } of changes) {
		if (by_id === myId) continue;
		const author = by?.split(" ")[0] ?? "an import or a command";
		for (const { key, label, change } of fields)
			newest.set(key, { what: change === "changed" ? label : `${label} ${change}`, author });
	}
	if (!newest.size) return "Your turn.";
	/** @type {Map<string, string[]>} what has changed by author */
	const byAuthor = new Map();
	for (const { what, author } of newest.values())
		byAuthor.set(author, [...(byAuthor.get(author) ?? []), what]);
	const clauses = [...byAuthor].map(([author, names]) => `${joinNames(names)} (${author})`);
	return `Your turn. Changed while you waited: ${clauses.join("; ")}`;
}
