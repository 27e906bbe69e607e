/**
 * Updates the page in place: its title, and the parts marked data-live. Changes are highlighted, and do not move what the
 * user works with.
 *
 * Reads: data-live on the parts.
 *
 * @example await refreshLiveParts(location.href);
 */
import { highlight } from "./highlight.js";
import { holdStill } from "./hold-still.js";
import { HttpError } from "./http.js";
import { morph } from "./morph.js";
import { setTitle } from "./page-title.js";

const TIMEOUT_MS = 10_000;

/**
 * Update the title and the live parts.
 * @param {string} url of the page
 * @throws {HttpError}
 */
export async function refreshLiveParts(url) {
	showLiveParts(await fetchPage(url));
}

/** @param {Document} fresh the page as it should be */
export function showLiveParts(fresh) {
	setTitle(fresh.title);
	for (const mark of fresh.querySelectorAll(".new-mark")) mark.remove(); // the page keeps those of its own visit
	holdStill(() => {
		for (const part of document.querySelectorAll("[data-live]")) {
			const wanted = fresh.querySelector(`[data-live="${part.getAttribute("data-live")}"]`);
			if (wanted) for (const element of morph(part, wanted)) highlight(element);
		}
	});
}

/**
 * Fetch a page of the portal.
 * @param {string} url
 * @param {{isUsers?: boolean}} [options] isUsers: the user has asked for it, which extends the sign-in session
 * @returns {Promise<Document>}
 * @throws {HttpError}
 */
export async function fetchPage(url, { isUsers = false } = {}) {
	try {
		const signal = AbortSignal.timeout(TIMEOUT_MS);
		/** @type {Record<string, string>} */
		const headers = isUsers ? {} : { "X-Background": "1" };
		const response = await fetch(url, { headers, redirect: "error", signal });
		if (response.ok) return await parsePage(response);
		throw new HttpError(response.status, "");
	} catch (error) {
		throw new HttpError(0, error instanceof Error ? error.message : "");
	}
}

/**
 * Return a response as a document.
 * @param {Response} response
 */
export const parsePage = async (response) =>
	new DOMParser().parseFromString(await response.text(), "text/html");
