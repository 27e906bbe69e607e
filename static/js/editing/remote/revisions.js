// @ts-check
/**
 * What has been saved elsewhere, as far as one editor is concerned: which of its fields, in which order of things, and what
 * the hidden input `seen` says of them. Pure; incoming.js shows it. Revisions are those of GET …/changes (docs/api.md).
 */
import { seenVersion } from "../seen.js";

/**
 * @typedef {{key: string, label: string, change: "changed"|"added"|"removed", value?: string, raw?: string,
 *   raw_before?: string, value_before?: string, overrules_you?: true}} Field
 * @typedef {{version: number, by: string|null, by_id: number|null, source: string, fields: Field[]}} Revision
 * @typedef {{name: string, version: number, by: string|null, by_id: number|null, value: string, raw: string,
 *   before: string, label?: string, overruled?: Overruled}} Newer the newest value of one control's field; `before` is what
 *   it held at first
 * @typedef {{version: number, by: string|null, by_id: number|null, isUndo: boolean, before: string, after: string,
 *   raw: string, isText?: boolean}} Overruled who has knowingly replaced or undone the reader's own value: `before`, of
 *   which a control holds `raw`
 */

/**
 * The fields of one entry that others have given another value, each with its newest.
 * @param {Revision[]} revisions oldest first
 * @param {string} entry "" for the record itself, "person/12" for a part of it
 * @returns {Newer[]}
 */
export function newer(revisions, entry) {
	/** @type {Map<string, Newer>} */
	const found = new Map();
	for (const revision of revisions) {
		for (const field of revision.fields) {
			const { version, by, by_id } = revision;
			const { key, change, value = "", raw = "", raw_before = "" } = field;
			const name = nameIn(entry, key);
			if (!name || change !== "changed") continue;
			const known = found.get(name);
			const overruled = field.overrules_you ? overruling(revision, field) : known?.overruled;
			const before = known?.before ?? raw_before;
			found.set(name, { name, version, by, by_id, value, raw, before, ...(overruled && { overruled }) });
		}
	}
	return [...found.values()].filter(({ raw, before }) => raw !== before);
}

/** @param {Revision} revision @param {Field} field @returns {Overruled} */
function overruling({ version, by, by_id, source }, { value = "", value_before = "", raw_before = "" }) {
	const isUndo = source === "revert";
	return { version, by, by_id, isUndo, before: value_before, after: value, raw: raw_before };
}

/** Whether something of the reader's own was overruled that this editor has no field for. @param {Revision[]} revisions @param {string} entry */
export const isOverruledElsewhere = (revisions, entry) =>
	revisions.some(({ fields }) =>
		fields.some(
			({ key, change, overrules_you }) => overrules_you && (change !== "changed" || !nameIn(entry, key)),
		),
	);

/** The revision that removed the part which is being edited. @param {Revision[]} revisions @param {string} entry */
export const removal = (revisions, entry) =>
	revisions.find(({ fields }) => fields.some(({ key, change }) => key === entry && change === "removed"));

/** @param {string} seen @param {Newer} newer */
export const isSeen = (seen, { name, version }) => seenVersion(seen, name) >= version;

/** Text as browsers hold and send it may differ in its line ends alone. @param {string} one @param {string} other */
export const isSameText = (one, other) => one.replace(/\r\n?/g, "\n") === other.replace(/\r\n?/g, "\n");

/** The same number, as people write amounts. @param {string} one @param {string} other */
export function isSameNumber(one, other) {
	const [here, there] = [one, other].map((text) => text.replace(/[£%,\s]/g, ""));
	return here !== "" && there !== "" && Number(here) === Number(there);
}

/** The name of the control that edits the field with this key; "" where it is another entry's. */
function nameIn(entry, key) {
	if (!entry) return key.includes("/") ? "" : key;
	return key.startsWith(`${entry}/`) ? key.slice(entry.length + 1) : "";
}
