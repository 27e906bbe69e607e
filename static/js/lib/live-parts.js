/**
 * Updates the page in place: its title, and the parts marked data-live. Changes are highlighted.
 *
 * Reads: data-live on the parts.
 *
 * @example await refreshLiveParts(location.href);
 */
import { highlight } from "./highlight.js";
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
	const fresh = await fetchPage(url);
	setTitle(fresh.title);
	for (const part of document.querySelectorAll("[data-live]")) {
		const wanted = fresh.querySelector(`[data-live="${part.getAttribute("data-live")}"]`);
		if (wanted) for (const element of morph(part, wanted)) highlight(element);
	}
}

/**
 * Fetch a page of the portal. The header tells the server that the request does not extend the sign-in session.
 * @param {string} url
 * @returns {Promise<Document>}
 * @throws {HttpError}
 */
export async function fetchPage(url) {
	try {
		const signal = AbortSignal.timeout(TIMEOUT_MS);
		const response = await fetch(url, {
			headers: { "X-Background": "1" },
			redirect: "error",
			signal,
		});
		if (response.ok) return new DOMParser().parseFromString(await response.text(), "text/html");
		throw new HttpError(response.status, "");
	} catch (error) {
		throw new HttpError(0, error instanceof Error ? error.message : "");
	}
}
