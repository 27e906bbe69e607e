/** Whether this browser shows toasts about who joins and leaves. A browser that forbids storage shows them. */

const KEY = "portal.news";

export function wantsToasts() {
	try {
		return localStorage.getItem(KEY) !== "off";
	} catch {
		return true;
	}
}

/** @param {boolean} wants */
export function setWantsToasts(wants) {
	try {
		localStorage.setItem(KEY, wants ? "on" : "off");
	} catch {
		// The browser forbids storage.
	}
}
