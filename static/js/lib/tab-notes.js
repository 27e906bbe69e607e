// @ts-check
/** A note that a page leaves for the next one of the same tab. Storage may be forbidden: then there is none. */

/** @param {string} name @param {string} text */
export function leaveNote(name, text) {
	try {
		sessionStorage.setItem(`portal.${name}`, text);
	} catch {}
}

/** Whether there is any. */
export function hasNotes() {
	try {
		return Object.keys(sessionStorage).some((key) => key.startsWith("portal."));
	} catch {
		return false;
	}
}

/** Whether there is such a note; it is gone then. @param {string} name @param {string} text */
export function takeNote(name, text) {
	try {
		const found = sessionStorage.getItem(`portal.${name}`) === text;
		if (found) sessionStorage.removeItem(`portal.${name}`);
		return found;
	} catch {
		return false;
	}
}
