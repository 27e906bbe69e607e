// @ts-check
/** A difference between two texts as the server tells it, for people to read. How it looks: editing/inline-diff.css. */
import { make } from "../../lib/dom.js";

/** @typedef {[kind: "same"|"gone"|"new"|"cut", text: string][]} Pieces */

const TAGS = { gone: "del", new: "ins", same: "span", cut: "span" };

/** @param {Pieces} pieces @returns {HTMLElement} */
export function drawDifference(pieces) {
	bringStylesheet();
	const parts = pieces.map(([kind, text]) =>
		kind === "cut" ? make("span", { className: "cut" }, `${text} as before`) : make(TAGS[kind], {}, text),
	);
	return make("div", { className: "value" }, ...parts);
}

let isBrought = false;

/** Few editors ever show a difference. */
function bringStylesheet() {
	if (isBrought) return;
	isBrought = true;
	const { href } = new URL("../../../css/editing/inline-diff.css", import.meta.url);
	document.head.append(make("link", { rel: "stylesheet", href }));
}
