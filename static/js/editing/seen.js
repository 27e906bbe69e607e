/**
 * Encodes and decodes `seen`, the versions of the values that a user was shown while editing: "notes:8 phone:7".
 * portal/editing/seen.py is the server's side; tests/seen.json has examples with which both sides are tested. Without
 * DOM.
 */

/**
 * Return the version of each field.
 * @param {string} text
 * @returns {Map<string, number>}
 */
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

/**
 * Return the text of the versions, sorted by field.
 * @param {Map<string, number>} versions
 */
export const formatSeen = (versions) =>
	[...versions]
		.sort(([one], [other]) => (one < other ? -1 : 1))
		.map(([field, version]) => `${field}:${version}`)
		.join(" ");

/**
 * Return the text with another version of one field.
 * @param {string} text
 * @param {string} field
 * @param {number} version 0 removes the field
 */
export function withSeen(text, field, version) {
	const versions = parseSeen(text);
	if (version) versions.set(field, version);
	else versions.delete(field);
	return formatSeen(versions);
}

/**
 * Return the version of one field that the user was shown; 0 for none.
 * @param {string} text
 * @param {string} field
 */
export const seenVersion = (text, field) => parseSeen(text).get(field) ?? 0;
