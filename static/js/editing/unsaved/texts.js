/** Long unsaved texts: how they differ from the saved text, and their merge, by lines, with what the user has typed. */
import { createElement } from "../../lib/dom.js";
import { holdStill } from "../../lib/hold-still.js";
import { call } from "../../lib/http.js";
import { renderDifference } from "../remote/diff.js";
import { take } from "./rows.js";

/** @typedef {import("../controls.js").Control} Control */
/** @typedef {import("./state.js").Unsaved} Unsaved */

/**
 * Show how another user's text differs from the saved one; hide it if it is shown. While it is shown, it follows the
 * text.
 * @param {HTMLFormElement} form
 * @param {Element} item
 * @param {HTMLButtonElement} button
 * @param {() => Unsaved} newest
 */
export async function toggleDifference(form, item, button, newest) {
	const isShown = button.ariaExpanded !== "true";
	button.ariaExpanded = `${isShown}`;
	if (!isShown) return holdStill(() => item.querySelector(".difference")?.remove());
	const place = createElement("div", { className: "difference" });
	holdStill(() => item.append(place));
	/** @type {string|undefined} */
	let drawn;
	while (place.isConnected) {
		const unsaved = newest();
		if (unsaved.value !== drawn) {
			drawn = unsaved.value;
			const { changes } = await merge(form, unsaved, "").catch((error) => {
				place.remove(); // another click tries again
				throw error;
			});
			const difference = renderDifference(changes ?? [["new", drawn]]);
			holdStill(() => place.replaceChildren(difference));
		}
		await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
	}
}

const FOLLOW_MS = 1000;

/**
 * Merge another user's text into what the user has typed. If the user goes on typing meanwhile, merge again.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Unsaved} unsaved
 */
export async function addToMine(form, control, unsaved) {
	let typed;
	let merged;
	do {
		typed = control.value;
		({ merged } = await merge(form, unsaved, typed));
	} while (typed !== control.value);
	take(control, merged);
}

/**
 * @param {HTMLFormElement} form
 * @param {Unsaved} unsaved
 * @param {string} mine
 * @returns {Promise<{changes: import("../remote/diff.js").Pieces|null, merged: string}>}
 */
function merge(form, { name, value, version, seen }, mine) {
	const body = { version, seen, [name]: value, mine };
	return call("POST", `${form.dataset.mergeUrl}_unsaved`, { body });
}
