/**
 * Says when a change was saved: "just now", later "1 minute ago". The server's clock decides, as far as the rosters tell
 * it, so that the browser's may be wrong.
 *
 * @example line.append(renderSavedAt(revision.at));
 */
import { createElement, queryAll, setText } from "../../lib/dom.js";
import { on } from "../../lib/events.js";
import { myId } from "../../session/session.js";
import { savedText } from "./wording.js";

const REDRAW_MS = 20_000;

/** By how much the server's clock is ahead of the browser's. */
let aheadMs = 0;

on("roster", ({ users }) => {
	const me = users.find(({ id }) => id === myId());
	if (me) aheadMs = Date.parse(me.last_seen) + me.seconds_ago * 1000 - Date.now();
});
setInterval(() => {
	for (const element of queryAll(document, "time[data-saved-at]", HTMLTimeElement)) draw(element);
}, REDRAW_MS);

/**
 * Return an element with the age of a change, which is updated while the page is open.
 * @param {string} at as the server sent it
 */
export function renderSavedAt(at) {
	const element = createElement("time", { dateTime: at });
	element.dataset.savedAt = "";
	draw(element);
	return element;
}

/** @param {HTMLTimeElement} element */
function draw(element) {
	setText(element, savedText((Date.now() + aheadMs - Date.parse(element.dateTime)) / 1000));
}
