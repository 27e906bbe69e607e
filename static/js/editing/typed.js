// @ts-check
/** What a draft holds: the values typed here, together with those of an earlier draft that is still on offer. Pure. */

/** @typedef {{version: number, seen: string, values: Record<string, string>}} Draft as docs/api.md has it */

/**
 * A draft has one version to start from, the older one. What was typed here over a newer value says so by `seen`, as if
 * that newer value had been shown in an editor of the older version.
 * @param {Draft} here `values` has the changed fields only
 * @param {Draft|null} [earlier]
 * @returns {Draft|null} null for nothing to keep
 */
export function together(here, earlier) {
	if (!Object.keys(here.values).length) return earlier ?? null;
	if (!earlier) return here;
	const version = Math.min(here.version, earlier.version);
	const before = versions(earlier.seen);
	const now = versions(here.seen);
	const seen = Object.keys({ ...earlier.values, ...here.values }).flatMap((name) => {
		const [from, known] = name in here.values ? [here, now] : [earlier, before];
		const at = Math.max(from.version, known[name] ?? 0);
		return at > version ? [`${name}:${at}`] : [];
	});
	return { version, seen: seen.join(" "), values: { ...earlier.values, ...here.values } };
}

/** "phone:7 notes:8" by field. @returns {Record<string, number>} */
function versions(seen) {
	const words = seen.split(" ").filter(Boolean);
	return Object.fromEntries(words.map((word) => word.split(":")).map(([name, at]) => [name, Number(at)]));
}
