// @ts-check
/** Whether this page's sign-in session still holds, and its CSRF token. Reads <body data-profile-id>. */
import { call, csrfMeta } from "../lib/http.js";

/** The profile this page was made for; 0 when nobody is signed in. */
export const myId = () => Number(document.body.dataset.profileId ?? 0);

/**
 * Asks who is signed in. For the same profile the new CSRF token goes into the page and all its forms, so that what
 * was typed can still be sent.
 * @returns {Promise<{state: "renewed"|"signed-out"|"somebody-else"|"unknown", name?: string}>}
 */
export async function renewSession() {
	try {
		const { profile_id, name, csrf_token } = await call("GET", "/session");
		if (profile_id !== myId()) return { state: "somebody-else", name };
		csrfMeta().content = csrf_token;
		for (const input of document.getElementsByName("csrf_token")) input.setAttribute("value", csrf_token);
		return { state: "renewed" };
	} catch (error) {
		return { state: error.status === 401 ? "signed-out" : "unknown" };
	}
}
