// @ts-check
/** The parts of a page marked data-live, made what the server now shows. What differs is highlighted. */
import { highlight } from "./highlight.js";
import { HttpError } from "./http.js";
import { morph } from "./morph.js";
import { retitle } from "./page-title.js";

const TIMEOUT_MS = 10_000;

/** @param {string} url of the page @throws {HttpError} */
export async function refreshLiveParts(url) {
	const fresh = await fetchPage(url);
	retitle(fresh.title);
	for (const part of document.querySelectorAll("[data-live]")) {
		const wanted = fresh.querySelector(`[data-live="${part.getAttribute("data-live")}"]`);
		if (wanted) for (const element of morph(part, wanted)) highlight(element);
	}
}

/**
 * By the header the server knows that no person has done anything: the sign-in session is not prolonged.
 * @param {string} url @returns {Promise<Document>} @throws {HttpError}
 */
export async function fetchPage(url) {
	try {
		const signal = AbortSignal.timeout(TIMEOUT_MS);
		const answer = await fetch(url, {
			headers: { "X-Background": "1" },
			redirect: "error",
			signal,
		});
		if (answer.ok) return new DOMParser().parseFromString(await answer.text(), "text/html");
		throw new HttpError(answer.status, "");
	} catch (error) {
		throw new HttpError(0, error instanceof Error ? error.message : "");
	}
}
