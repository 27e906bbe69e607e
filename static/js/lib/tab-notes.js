/** Notes that a page leaves for the next page of its tab. A browser that forbids storage has no notes. */

/**
 * Leave a note.
 * @param {string} name
 * @param {string} page to which it applies, "client-42"
 * @param {string} [detail]
 */
export function leaveNote(name, page, detail = "") {
	try {
		sessionStorage.setItem(`portal.${name}`, `${page} ${detail}`);
	} catch {}
}

/** Whether there is any note. */
export function hasNotes() {
	try {
		return Object.keys(sessionStorage).some((key) => key.startsWith("portal."));
	} catch {
		return false;
	}
}

/**
 * Remove a note and return its detail; null if there is no note for this page.
 * @param {string} name
 * @param {string} page
 */
export function takeNote(name, page) {
	try {
		const note = sessionStorage.getItem(`portal.${name}`);
		if (!note?.startsWith(`${page} `)) return null;
		sessionStorage.removeItem(`portal.${name}`);
		return note.slice(page.length + 1);
	} catch {
		return null;
	}
}
