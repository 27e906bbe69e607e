// @ts-check
/**
 * What has been saved elsewhere, as far as one editor is concerned: which of its fields, in which order of things, and what
 * the hidden input `seen` says of them. Pure; incoming.js shows it. Revisions are those of GET …/changes (docs/api.md).
 */

/**
 * @typedef {{key: string, label: string, change: "changed"|"added"|"removed", value?: string, raw?: string,
 *   raw_before?: string}} Field
 * @typedef {{version: number, by: string|null, by_id: number|null, source: string, fields: Field[]}} Revision
 * @typedef {{name: string, version: number, by: string|null, by_id: number|null, value: string, raw: string,
 *   before: string}} Newer the newest value of one control's field; `before` is what it held at first
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
	for (const { version, by, by_id, fields } of revisions) {
		for (const { key, change, value = "", raw = "", raw_before = "" } of fields) {
			const name = nameIn(entry, key);
			if (!name || change !== "changed") continue;
			const before = found.get(name)?.before ?? raw_before;
			found.set(name, { name, version, by, by_id, value, raw, before });
		}
	}
	return [...found.values()].filter(({ raw, before }) => raw !== before);
}

/** The revision that removed the part which is being edited. @param {Revision[]} revisions @param {string} entry */
export const removal = (revisions, entry) =>
	revisions.find(({ fields }) => fields.some(({ key, change }) => key === entry && change === "removed"));

/** "phone:7 notes:8", one version a field; 0 takes it out. @param {string} seen @param {string} name @param {number} version */
export function withSeen(seen, name, version) {
	const versions = versionsIn(seen);
	if (version) versions.set(name, version);
	else versions.delete(name);
	return [...versions].map(([field, at]) => `${field}:${at}`).join(" ");
}

/** The version of a field that has been taken in or overruled; 0 for none. @param {string} seen @param {string} name */
export const seenOf = (seen, name) => versionsIn(seen).get(name) ?? 0;

/** @param {string} seen @param {Newer} newer */
export const isSeen = (seen, { name, version }) => seenOf(seen, name) >= version;

/** Text as browsers hold and send it may differ in its line ends alone. @param {string} one @param {string} other */
export const isSameText = (one, other) => one.replace(/\r\n?/g, "\n") === other.replace(/\r\n?/g, "\n");

const versionsIn = (seen) => new Map(seen.split(" ").filter(Boolean).map(pair));

/** The same number, as people write amounts. @param {string} one @param {string} other */
export function isSameNumber(one, other) {
	const [here, there] = [one, other].map((text) => text.replace(/[£%,\s]/g, ""));
	return here !== "" && there !== "" && Number(here) === Number(there);
}

/** @returns {[string, number]} */
function pair(word) {
	const [field, version] = word.split(":");
	return [field, Number(version)];
}

/** The name of the control that edits the field with this key; "" where it is another entry's. */
function nameIn(entry, key) {
	if (!entry) return key.includes("/") ? "" : key;
	return key.startsWith(`${entry}/`) ? key.slice(entry.length + 1) : "";
}
