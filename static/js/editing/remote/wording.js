/**
 * All sentences about what other users save or change. The functions are pure. `myId` is the profile of this page's
 * user.
 */

import { ageInWords } from "../../lib/ages.js";

/** @typedef {import("./revisions.js").Revision} Revision */
/** @typedef {import("./revisions.js").Field} Field */
/** @typedef {import("./revisions.js").Newer} Newer */
/** @typedef {import("../../presence/sync/roster.js").User} User */
/** @typedef {{by: string|null, by_id: number|null}} Author by: the name; both null for an import or a command */

const MAX_VALUE_CHARACTERS = 60;
const MAX_NAMES = 3;
export const EMPTY = "empty";

export const TOO_MANY_TO_NAME = "This record has changed many times since you opened it";
export const TOO_MANY =
	"This record has changed too often since you opened it to show each change here. Saving asks about everything that collides; or reload the page.";

/**
 * Return "Daniel changed Phone and Notes; Priya added a person" or "You changed Phone elsewhere".
 * @param {Revision[]} revisions
 * @param {number} myId
 */
export function whatWasSaved(revisions, myId) {
	/** @type {Map<number|null, Revision[]>} */
	const byAuthor = new Map();
	for (const revision of revisions)
		byAuthor.set(revision.by_id, [...(byAuthor.get(revision.by_id) ?? []), revision]);
	return [...byAuthor.values()].map((theirs) => sentence(theirs, myId)).join("; ");
}

/**
 * Return whose value a field that the user has not changed shows now: "Daniel".
 * @param {Author} author
 * @param {number} myId
 */
export const arrivedFrom = (author, myId) => `${who(author, myId)}${elsewhere(author, myId)}`;

/**
 * Return "just now" or "1 minute ago".
 * @param {number} seconds since a change was saved
 */
export const savedText = (seconds) => (seconds < 60 ? "just now" : ageInWords(seconds));

/**
 * Return "was 0151 496 0000" or "was empty".
 * @param {string} text as the control showed it
 */
export const wasText = (text) => `was ${orEmpty(text)}`;

/**
 * Return the sentence below a field that the user has changed too, in two parts: the second one is the value.
 * @param {Newer} newer
 * @param {number} myId
 */
export function savedThis(newer, myId) {
	if (newer.overruled) return [replacedYours(newer, myId), ""];
	const name = arrivedFrom(newer, myId);
	return newer.value ? [`${name} saved `, shortened(newer.value)] : [`${name} emptied this`, ""];
}

/**
 * Return the label of the button that takes the other value: "Use Daniel’s".
 * @param {Author} author
 * @param {number} myId
 */
export const useTheirs = (author, myId) => `Use ${whose(author, myId)}`;

/**
 * Return "Daniel replaced your Phone: 07700 900123 → 01632 960999"; without the values for a long text.
 * @param {Newer} newer
 * @param {number} myId
 */
export function replacedYours({ overruled, ...newer }, myId) {
	if (!overruled) return changedThis(newer, myId);
	const { before, after, isText, isUndo, version } = overruled;
	const done = `${who(overruled, myId)} ${isUndo ? "undid your change to" : "replaced your"} ${newer.label}`;
	const text = isText ? done : `${done}: ${orEmpty(before)} → ${orEmpty(after)}`;
	return newer.version > version ? `${text}. ${changedThis(newer, myId)}` : text;
}

/**
 * Return the sentence below a text in which both users have changed the same lines.
 * @param {Newer} newer
 * @param {number} myId
 */
export const linesTouch = (newer, myId) =>
	newer.overruled
		? `${replacedYours(newer, myId)}, in lines that you have changed again:`
		: `${who(newer, myId)} changed lines${elsewhere(newer, myId)} that you have changed too:`;

export const KEPT_ASIDE = "What you had typed before is kept";

/**
 * Return the note beside a text that contains the changes of both users.
 * @param {Newer} newer
 * @param {number} myId
 */
export const bothAreHere = (newer, myId) =>
	newer.overruled
		? `${replacedYours(newer, myId)}. What you have typed since is here too`
		: `${who(newer, myId)} changed this too${elsewhere(newer, myId)}: both are here`;

/**
 * Return the note beside a text if the server, which merges texts, cannot be reached.
 * @param {Newer} newer
 * @param {number} myId
 */
export const savingMerges = (newer, myId) =>
	`${who(newer, myId)} changed this too${elsewhere(newer, myId)}. Saving puts both together, or asks`;

/**
 * Return the note after "Use Daniel’s".
 * @param {Newer} newer
 * @param {number} myId
 */
export const usingTheirs = (newer, myId) => `Using ${whose(newer, myId)}`;

/**
 * Return the note after "Keep mine".
 * @param {Newer} newer
 * @param {number} myId
 */
export const keptMine = (newer, myId) => `Saving puts yours in place of ${whose(newer, myId)}`;

/**
 * Return the warning that the edited part has been removed.
 * @param {Revision} revision
 * @param {number} myId
 */
export const removedThis = (revision, myId) =>
	`${who(revision, myId)} removed this${revision.source === "revert" ? " by undoing a change" : ""}${elsewhere(revision, myId)}. What you have typed here can no longer be saved.`;

/**
 * Return the users who are in a field or have changed it, those in it first.
 * @param {User[]} others
 * @param {string} field
 */
export function usersIn(others, field) {
	const editors = others.filter(({ activity }) => activity === "editing");
	const inside = editors.filter(({ focus }) => focus === field);
	const changed = editors.filter((user) => user.focus !== field && user.fields.includes(field));
	return [...inside, ...changed];
}

/**
 * Return "Daniel is here", "Daniel is typing", "Daniel is changing this", "Daniel changed this, not saved yet", "Daniel
 * and 1 other are here" or "".
 * @param {User[]} users in the field or who have changed it, as `usersIn` returns them
 * @param {string} field
 * @param {Map<number, boolean>} [sharing] whether each user who shares the field's value is typing
 */
export function whoIsIn(users, field, sharing) {
	const [first, ...rest] = users;
	if (!first) return "";
	const [typing, ...more] = users.filter(({ id }) => sharing?.get(id));
	if (typing) return more.length ? `${andOthers(typing, more)} are typing` : `${typing.first_name} is typing`;
	const isInside = first.focus === field;
	const hasChanged = first.fields.includes(field);
	if (!rest.length && (!isInside || sharing?.has(first.id)))
		return `${first.first_name} changed this, not saved yet`;
	if (!rest.length) return `${first.first_name} is ${hasChanged ? "changing this" : "here"}`;
	const who = andOthers(first, rest);
	return isInside ? `${who} are here` : `${who} changed this, not saved yet`;
}

/**
 * @param {User} user
 * @param {User[]} others
 */
const andOthers = ({ first_name }, { length }) => `${first_name} and ${length} other${length > 1 ? "s" : ""}`;

/**
 * @param {Author} author
 * @param {number} myId
 */
const changedThis = (author, myId) => `${who(author, myId)} changed this${elsewhere(author, myId)}`;

/**
 * Return a value as one line, or "empty".
 * @param {string} text
 */
export const orEmpty = (text) => shortened(text) || EMPTY;

/**
 * Return a value as one line of at most 60 characters.
 * @param {string} text
 */
export function shortened(text) {
	const letters = [...text.replace(/\s+/g, " ").trim()];
	if (letters.length <= MAX_VALUE_CHARACTERS) return letters.join("");
	const start = letters.slice(0, MAX_VALUE_CHARACTERS - 1).join("");
	return `${start.trim()}…`;
}

/**
 * @param {Revision[]} revisions of one author
 * @param {number} myId
 */
function sentence(revisions, myId) {
	const changes = revisions.flatMap(({ source, fields }) =>
		fields.map((field) => ({ verb: verbOf(field, source), label: field.label })),
	);
	const clauses = VERBS.map((verb) => {
		const labels = new Set(changes.filter((change) => change.verb === verb).map(({ label }) => label));
		return labels.size ? `${verb} ${listed([...labels])}` : "";
	});
	const [author] = revisions;
	return `${who(author, myId)} ${clauses.filter(Boolean).join(" and ")}${elsewhere(author, myId)}`;
}

const VERBS = ["replaced your", "undid your change to", "changed", "added", "removed"];

/**
 * Return what was done to a field, which may hold this user's own value.
 * @param {Field} field
 * @param {string} source of the revision
 */
function verbOf({ change, overrules_you }, source) {
	if (!overrules_you || change !== "changed") return change;
	return source === "revert" ? "undid your change to" : "replaced your";
}

/**
 * Return the fields to name, and how many more there are.
 * @template {Field|string} T
 * @param {T[]} fields those of one revision, or their names
 */
export function shownFields(fields) {
	const shown = fields.length > MAX_NAMES ? fields.slice(0, 2) : fields;
	return { shown, more: fields.length - shown.length };
}

/**
 * Return "Phone", "Phone and Email", "Phone, Email and Town" or "Phone, Email and 2 more", as the server does after a
 * save.
 * @param {string[]} names
 */
function listed(names) {
	const { shown, more } = shownFields(names);
	const parts = more ? [...shown, `${more} more`] : shown;
	return [parts.slice(0, -1).join(", "), parts.at(-1)].filter(Boolean).join(" and ");
}

/**
 * @param {Author} author
 * @param {number} myId
 */
const isMine = ({ by_id }, myId) => by_id === myId;

/** @param {Author} author */
const firstName = ({ by }) => by?.split(" ")[0];

/**
 * @param {Author} author
 * @param {number} myId
 */
const who = (author, myId) => (isMine(author, myId) ? "You" : firstName(author) || "An import or a command");

/**
 * @param {Author} author
 * @param {number} myId
 */
function whose(author, myId) {
	if (isMine(author, myId)) return "your earlier value";
	return author.by ? `${firstName(author)}’s` : "the other value";
}

/**
 * @param {Author} author
 * @param {number} myId
 */
const elsewhere = (author, myId) => (isMine(author, myId) ? " elsewhere" : "");
