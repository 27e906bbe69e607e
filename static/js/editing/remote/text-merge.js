/**
 * Asks the server to merge a text line by line, as the save does. Nothing is written.
 *
 * Reads: data-merge-url, and the hidden inputs `version` and `seen` of the form.
 */
import { call, HttpError } from "../../lib/http.js";
import { controlNamed } from "../controls.js";

/** @typedef {import("../controls.js").Control} Control */
/**
 * @typedef {Object} MergedText
 * @property {string|null} merged null if both users have changed the same lines
 * @property {string} saved
 * @property {string} both
 * @property {string} yours
 * @property {import("./diff.js").Pieces} [changes]
 */

/**
 * Return the server's merge; null if the server cannot be reached, so that the save merges.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {string} typed
 * @returns {Promise<{version: number, texts: Record<string, MergedText|undefined>}|null>}
 */
export async function mergeText(form, control, typed) {
	const body = {
		version: Number(controlNamed(form, "version")?.value),
		seen: controlNamed(form, "seen")?.value,
		[control.name]: typed,
	};
	try {
		return await call("POST", form.dataset.mergeUrl ?? "", { body });
	} catch (error) {
		if (error instanceof HttpError) return null;
		throw error;
	}
}
