// @ts-check
/** Every sentence about what others save or are changing. Pure. */
/** @typedef {import("./revisions.js").Revision} Revision @typedef {import("./revisions.js").Newer} Newer */
/** @typedef {import("../../presence/sync/roster.js").User} User */

const LONGEST_VALUE = 60;
const MOST_NAMED = 3;

export const TOO_MANY_TO_NAME = "This record has changed many times since you opened it";
export const TOO_MANY =
	"This record has changed too often since you opened it to show each change here. Saving asks about everything that collides; or reload the page.";

/** "Daniel changed Phone and Notes; Priya added a person", "You changed Phone elsewhere". @param {Revision[]} revisions @param {number} myId */
export function whatWasSaved(revisions, myId) {
	/** @type {Map<number|null, Revision[]>} */
	const people = new Map();
	for (const revision of revisions)
		people.set(revision.by_id, [...(people.get(revision.by_id) ?? []), revision]);
	return [...people.values()].map((theirs) => sentence(theirs, myId)).join("; ");
}

/** Beside a field whose newer value is shown. @param {Newer} newer @param {number} myId */
export const changedThis = (newer, myId) => `${who(newer, myId)} changed this${elsewhere(newer, myId)}`;

/** Below a field that the person has changed too. @param {Newer} newer @param {number} myId */
export function changedThisTo(newer, myId) {
	if (newer.overruled) return replacedYours(newer, myId);
	const what = newer.value ? `changed this to ${quoted(newer.value)}` : "emptied this";
	return `${who(newer, myId)} ${what}${elsewhere(newer, myId)}`;
}

/**
 * "Daniel replaced your Phone: 07700 900123 → 01632 960999", of a text without the values. @param {Newer} newer @param {number} myId
 */
export function replacedYours({ label, overruled, ...newer }, myId) {
	const { before, after, isText, isUndo, version } = overruled;
	const done = `${who(overruled, myId)} ${isUndo ? "undid your change to" : "replaced your"} ${label}`;
	const said = isText ? done : `${done}: ${orEmpty(before)} → ${orEmpty(after)}`;
	return newer.version > version ? `${said}. ${changedThis(newer, myId)}` : said;
}

/** Below a text of which both have changed the same lines. @param {Newer} newer @param {number} myId */
export const linesTouch = (newer, myId) =>
	newer.overruled
		? `${replacedYours(newer, myId)}, in lines that you have changed again:`
		: `${who(newer, myId)} changed lines${elsewhere(newer, myId)} that you have changed too:`;

export const KEPT_ASIDE = "What you had typed before is kept";

/** @param {Newer} newer @param {number} myId */
export const bothAreHere = (newer, myId) =>
	newer.overruled
		? `${replacedYours(newer, myId)}. What you have typed since is here too`
		: `${who(newer, myId)} changed this too${elsewhere(newer, myId)}: both are here`;

/** Where the portal could not be asked. @param {Newer} newer @param {number} myId */
export const savingMerges = (newer, myId) =>
	`${who(newer, myId)} changed this too${elsewhere(newer, myId)}. Saving puts both together, or asks`;

/** After Take theirs. @param {Newer} newer @param {number} myId */
export const usingTheirs = (newer, myId) => `Using ${whose(newer, myId)}`;

/** After Keep mine. @param {Newer} newer @param {number} myId */
export const keptMine = (newer, myId) => `Saving puts yours in place of ${whose(newer, myId)}`;

/** When the part that is being edited has been removed. @param {Revision} revision @param {number} myId */
export const removedThis = (revision, myId) =>
	`${who(revision, myId)} removed this${revision.source === "revert" ? " by undoing a change" : ""}${elsewhere(revision, myId)}. What you have typed here can no longer be saved.`;

/** "Daniel is changing this", "Daniel and 1 other are changing this", "". @param {User[]} others @param {string} field */
export function isChanging(others, field) {
	const [first, ...rest] = others.filter(
		({ activity, fields }) => activity === "editing" && fields.includes(field),
	);
	if (!first) return "";
	if (!rest.length) return `${first.first_name} is changing this`;
	return `${first.first_name} and ${rest.length} other${rest.length > 1 ? "s" : ""} are changing this`;
}

/** One line of at most 60 characters, in quotation marks. @param {string} text */
export const quoted = (text) => `“${shortened(text)}”`;

const orEmpty = (text) => shortened(text) || "empty";

/** @param {string} text */
function shortened(text) {
	const letters = [...text.replace(/\s+/g, " ").trim()];
	if (letters.length <= LONGEST_VALUE) return letters.join("");
	const start = letters.slice(0, LONGEST_VALUE - 1).join("");
	return `${start.trim()}…`;
}

/** @param {Revision[]} revisions of one person @param {number} myId */
function sentence(revisions, myId) {
	const done = revisions.flatMap(({ source, fields }) =>
		fields.map((field) => ({ did: didTo(field, source), label: field.label })),
	);
	const doings = DOINGS.map((doing) => {
		const labels = new Set(done.filter(({ did }) => did === doing).map(({ label }) => label));
		return labels.size ? `${doing} ${listed([...labels])}` : "";
	});
	const [author] = revisions;
	return `${who(author, myId)} ${doings.filter(Boolean).join(" and ")}${elsewhere(author, myId)}`;
}

const DOINGS = ["replaced your", "undid your change to", "changed", "added", "removed"];

/** What was done to a field, of the reader's own or not. */
function didTo({ change, overrules_you }, source) {
	if (!overrules_you || change !== "changed") return change;
	return source === "revert" ? "undid your change to" : "replaced your";
}

/** "Phone", "Phone and Email", "Phone, Email and Town", "Phone, Email and 2 more"; as the server says it after a save. */
function listed(names) {
	const shown = names.length > MOST_NAMED ? [...names.slice(0, 2), `${names.length - 2} more`] : names;
	return [shown.slice(0, -1).join(", "), shown.at(-1)].filter(Boolean).join(" and ");
}

const isMine = ({ by_id }, myId) => by_id === myId;
const firstName = ({ by }) => by?.split(" ")[0];
const who = (author, myId) => (isMine(author, myId) ? "You" : firstName(author) || "An import or a command");
const whose = (author, myId) => {
	if (isMine(author, myId)) return "your earlier value";
	return author.by ? `${firstName(author)}’s` : "the other value";
};
const elsewhere = (author, myId) => (isMine(author, myId) ? " elsewhere" : "");
