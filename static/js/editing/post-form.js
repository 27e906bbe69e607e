/** Sends a form without loading a page. */
const SAVE_TIMEOUT_MS = 30_000;

/**
 * Send the form as the browser would. Returns null without a response.
 * @param {HTMLFormElement} form
 */
export async function postForm(form) {
	const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
	const signal = AbortSignal.timeout(SAVE_TIMEOUT_MS);
	return fetch(form.action, { method: "POST", body, signal }).catch(() => null);
}
