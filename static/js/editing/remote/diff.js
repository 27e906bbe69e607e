/** The difference between two texts, as the server computes it. The style is in editing/inline-diff.css. */
import { createElement } from "../../lib/dom.js";
import { loadStylesheet } from "../../lib/lazy.js";

/** @typedef {[kind: "same"|"gone"|"new"|"cut", text: string][]} Pieces cut: unchanged text that is left out */

const TAGS = /** @type {const} */ ({ gone: "del", new: "ins", same: "span" });

/**
 * Draw a difference.
 * @param {Pieces} pieces
 */
export function renderDifference(pieces) {
	// Few editors ever show a difference. <del> and <ins> are legible without the stylesheet.
	loadStylesheet("editing/inline-diff").catch(() => {});
	const parts = pieces.map(([kind, text]) =>
		kind === "cut"
			? createElement("span", { className: "cut" }, `${text} as before`)
			: createElement(TAGS[kind], {}, text),
	);
	return createElement("div", { className: "value" }, ...parts);
}
