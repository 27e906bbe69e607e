// @ts-check
/**
 * Encodes and decodes `seen`, the versions of the values that a user was shown while editing: "notes:8 phone:7".
 * portal/editing/seen.py is the server's side; tests/seen.json has examples that both sides are tested with. No DOM.
 */

/** The version of each field. @param {string} text @returns {Map<string, number>} */
export const parseSeen = (text) =>
	new Map(
		text
			.split(/\s+/)
			.filter(Boolean)
			.map((pair) => {
				const [field, version] = pair.split(":");
				return [field, Number(version)];
			}),
	);

/** The text of the versions, sorted by field. @param {Map<string, number>} versions */
export const formatSeen = (versions) =>
	[...versions]
		.sort(([one], [other]) => (one < other ? -1 : 1))
		.map(([field, version]) => `${field}:${version}`)
		.join(" ");

/** The text with another version of one field; 0 removes it. @param {string} text @param {string} field @param {number} version */
export function withSeen(text, field, version) {
	const versions = parseSeen(text);
	if (version) versions.set(field, version);
	else versions.delete(field);
	return formatSeen(versions);
}

/** The version of one field, 0 for none. @param {string} text @param {string} field */
export const seenVersion = (text, field) => parseSeen(text).get(field) ?? 0;
