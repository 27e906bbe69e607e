/**
 * The revisions of other users and other tabs, as far as one editor is concerned: the newest value of each of its
 * fields, and the hidden input `seen`. The functions are pure; incoming.js shows the result. Revisions are
 * those of `GET /clients/<id>/changes` (docs/api.md).
 */
import { plainAmount } from "../amounts.js";
import { seenVersion } from "../seen.js";

const MAX_SAVES = 5;

/**
 * @typedef {Object} Field a change of one field
 * @property {string} key "phone", or "person/12/phone" in a part of the record
 * @property {string} label
 * @property {"changed"|"added"|"removed"} change
 * @property {string} [value] as shown to users
 * @property {string} [raw] as a control holds it
 * @property {string} [value_before]
 * @property {string} [raw_before]
 * @property {true} [overrules_you] the author has knowingly replaced or undone the reader's own value
 */
/**
 * @typedef {Object} Revision
 * @property {number} version
 * @property {string|null} by the author's name; null for an import or a command
 * @property {number|null} by_id
 * @property {string} at
 * @property {string} source
 * @property {Field[]} fields
 */
/**
 * @typedef {Object} Newer the newest value of one control
 * @property {string} name of the control
 * @property {number} version
 * @property {string|null} by
 * @property {number|null} by_id
 * @property {string} at when it was saved
 * @property {string} value as shown to users
 * @property {string} raw as the control holds it
 * @property {string} before what the control held at first
 * @property {string} [label]
 * @property {Overruled} [overruled]
 */
/**
 * @typedef {Object} Overruled the reader's own value, which another user has knowingly replaced or undone
 * @property {number} version
 * @property {string|null} by
 * @property {number|null} by_id
 * @property {boolean} isUndo
 * @property {string} before the reader's value, as shown to users
 * @property {string} after
 * @property {string} raw the reader's value, as a control holds it
 * @property {boolean} [isText] a long text, which is shown without its values
 */

/**
 * Return the newest value of each field of one entry that has another value than before.
 * @param {Revision[]} revisions oldest first
 * @param {string} entry "" for the record itself, "person/12" for a part of it
 */
export function newer(revisions, entry) {
	/** @type {Map<string, Newer>} */
	const found = new Map();
	for (const revision of revisions) {
		for (const field of revision.fields) {
			const { version, by, by_id, at } = revision;
			const { key, change, value = "", raw = "", raw_before = "" } = field;
			const name = controlNameOf(entry, key);
			if (!name || change !== "changed") continue;
			const known = found.get(name);
			const overruled = field.overrules_you ? overruling(revision, field) : known?.overruled;
			const before = known?.before ?? raw_before;
			found.set(name, { name, version, by, by_id, at, value, raw, before, ...(overruled && { overruled }) });
		}
	}
	return [...found.values()].filter(({ raw, before }) => raw !== before);
}

/**
 * @param {Revision} revision
 * @param {Field} field
 * @returns {Overruled}
 */
function overruling({ version, by, by_id, source }, { value = "", value_before = "", raw_before = "" }) {
	const isUndo = source === "revert";
	return { version, by, by_id, isUndo, before: value_before, after: value, raw: raw_before };
}

/**
 * Whether a value of the reader was overruled for which this editor has no field.
 * @param {Revision[]} revisions
 * @param {string} entry
 */
export const isOverruledElsewhere = (revisions, entry) =>
	revisions.some(({ fields }) =>
		fields.some(
			({ key, change, overrules_you }) =>
				overrules_you && (change !== "changed" || !controlNameOf(entry, key)),
		),
	);

/**
 * Whether a part of the kind that the editor adds has been added.
 * @param {Revision[]} revisions
 * @param {string} entry
 */
export const isAdded = (revisions, entry) =>
	revisions.some(({ fields }) =>
		fields.some(({ key, change }) => change === "added" && key.split("/")[0] === entry.split("/")[0]),
	);

/**
 * Return the last five saves of other users, the newest first.
 * @param {Revision[]} known the newest first
 * @param {Revision[]} revisions oldest first
 * @param {number} myId
 */
export const latestSaves = (known, revisions, myId) =>
	[...revisions.filter(({ by_id }) => by_id !== myId).toReversed(), ...known].slice(0, MAX_SAVES);

/**
 * Return the revision that removed the entry.
 * @param {Revision[]} revisions
 * @param {string} entry
 */
export const removal = (revisions, entry) =>
	revisions.find(({ fields }) => fields.some(({ key, change }) => key === entry && change === "removed"));

/**
 * Whether the user has accepted or overruled this value.
 * @param {string} seen
 * @param {Newer} newer
 */
export const isSeen = (seen, { name, version }) => seenVersion(seen, name) >= version;

/**
 * Whether two texts are the same except for their line ends, which browsers convert.
 * @param {string} one
 * @param {string} other
 */
export const isSameText = (one, other) => one.replace(/\r\n?/g, "\n") === other.replace(/\r\n?/g, "\n");

/**
 * Whether two texts are the same amount: "£1,000" and "1000".
 * @param {string} one
 * @param {string} other
 */
export function isSameNumber(one, other) {
	const [here, there] = [one, other].map((text) => plainAmount(text.replace(/\s*%$/, "")));
	return here !== "" && there !== "" && Number(here) === Number(there);
}

/**
 * Return the name of the control that edits the field; "" if the field belongs to another entry.
 * @param {string} entry
 * @param {string} key
 */
export function controlNameOf(entry, key) {
	if (!entry) return key.includes("/") ? "" : key;
	return key.startsWith(`${entry}/`) ? key.slice(entry.length + 1) : "";
}
