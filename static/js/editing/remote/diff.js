// @ts-check
/** The difference between two texts, as the server computes it. The style is in editing/inline-diff.css. */
import { make } from "../../lib/dom.js";
import { loadStylesheet } from "../../lib/lazy.js";

/** @typedef {[kind: "same"|"gone"|"new"|"cut", text: string][]} Pieces cut: unchanged text that is left out */

const TAGS = /** @type {const} */ ({ gone: "del", new: "ins", same: "span" });

/**
 * Draw a difference.
 * @param {Pieces} pieces
 */
export function drawDifference(pieces) {
	addStylesheet();
	const parts = pieces.map(([kind, text]) =>
		kind === "cut" ? make("span", { className: "cut" }, `${text} as before`) : make(TAGS[kind], {}, text),
	);
	return make("div", { className: "value" }, ...parts);
}

let isAdded = false;

/** Load the stylesheet at the first difference, because few editors ever show one. */
function addStylesheet() {
	if (isAdded) return;
	isAdded = true;
	loadStylesheet("editing/inline-diff").catch(() => {}); // <del> and <ins> are legible without it
}
