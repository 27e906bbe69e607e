/** The sign-in session of this page, and its CSRF token. Reads <body data-profile-id>. */
import { call, csrfMeta, HttpError } from "../lib/http.js";

/** Return the id of the profile that this page was made for; 0 when the user is not signed in. */
export const myId = () => Number(document.body.dataset.profileId ?? 0);

/** @typedef {{state: "renewed"|"signed-out"|"other-user"|"unknown", name?: string}} Renewal name: of the user who is signed in now */

/**
 * Ask the server who is signed in.
 *
 * If it is the same profile, put the new CSRF token into the page and its forms, so that the user can send what they
 * have typed.
 *
 * @returns {Promise<Renewal>}
 */
export async function renewSession() {
	try {
		const { profile_id, name, csrf_token } = await call("GET", "/session");
		if (profile_id !== myId()) return { state: "other-user", name };
		csrfMeta().content = csrf_token;
		for (const input of document.getElementsByName("csrf_token")) input.setAttribute("value", csrf_token);
		return { state: "renewed" };
	} catch (error) {
		return { state: error instanceof HttpError && error.status === 401 ? "signed-out" : "unknown" };
	}
}
