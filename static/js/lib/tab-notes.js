/** Notes that a page leaves for the next page of its tab. A browser that forbids storage has no notes. */

/**
 * Leave a note.
 * @param {string} name
 * @param {string} text
 */
export function leaveNote(name, text) {
	try {
		sessionStorage.setItem(`portal.${name}`, text);
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
 * Remove a note and return whether it was there.
 * @param {string} name
 * @param {string} text
 */
export function takeNote(name, text) {
	try {
		const found = sessionStorage.getItem(`portal.${name}`) === text;
		if (found) sessionStorage.removeItem(`portal.${name}`);
		return found;
	} catch {
		return false;
	}
}
