/** What other editors of a form have typed and not saved, by field. The functions are pure. */

/** @typedef {import("../../presence/sync/api.js").SharedDraft} SharedDraft */
/**
 * @typedef {Object} Unsaved the unsaved value of one user in one field
 * @property {number} user id of the profile
 * @property {string} name of the control
 * @property {string} value
 * @property {number} version of the record at which the user started
 * @property {string} seen
 * @property {number} typedAt when it last changed, in ms
 */

// A draft is sent every 300 ms while its user types, and a thought may take longer than a second.
export const TYPING_MS = 2500;

/**
 * Return the values after an event.
 * @param {Unsaved[]|null} before null before the first event
 * @param {{drafts: SharedDraft[], read_at: number}} event
 * @param {{form: string, myId: number, now: number}} context
 * @returns {Unsaved[]}
 */
export function unsavedAfter(before, { drafts, read_at }, { form, myId, now }) {
	const theirs = drafts.filter((draft) => draft.form === form && draft.user !== myId);
	return theirs.flatMap(({ user, values, version, seen, updated_at }) =>
		Object.entries(values).map(([name, value]) => {
			const known = before?.find((each) => each.user === user && each.name === name);
			// Which field of a draft changed last is unknown before the second event.
			const changedAt = before ? now : now - (read_at * 1000 - Date.parse(updated_at));
			const typedAt = known?.value === value ? known.typedAt : changedAt;
			return { user, name, value, version, seen, typedAt };
		}),
	);
}

/**
 * Whether the value is still changing.
 * @param {Unsaved} unsaved
 * @param {number} now
 */
export const isTyping = ({ typedAt }, now) => now - typedAt < TYPING_MS;

/**
 * Return when the next user stops typing, in ms; Infinity for never.
 * @param {Unsaved[]} values
 * @param {number} now
 */
export const nextPauseAt = (values, now) =>
	Math.min(...values.filter((each) => isTyping(each, now)).map(({ typedAt }) => typedAt + TYPING_MS));
