/** Tells a user who has waited, and whose turn has come, what other users changed meanwhile. */
import { createElement, query, setText } from "../../lib/dom.js";
import { call, HttpError } from "../../lib/http.js";
import { focusHeading } from "../../lib/kept-focus.js";
import { announce } from "../../lib/page-title.js";
import { myId } from "../../session/session.js";
import { turnText } from "./turn-wording.js";

/** @typedef {import("../../editing/remote/revisions.js").Revision} Revision */

/**
 * Focus the editor's heading, and show the message above it. Without a response it only says "Your turn."
 * @param {HTMLElement} page <presence-page> of the editor
 * @param {string} since the version that the user knew when the wait began; "" if the record has no versions
 */
export async function announceTurn(page, since) {
	focusHeading();
	announce("turn", "Your turn", { once: true });
	const message = createElement("p", { className: "flash" }, turnText({ changes: [] }, myId()));
	query(document, ".flashes", HTMLElement).append(message);
	const { changesUrl, version } = page.dataset;
	if (!since || since === version) return;
	try {
		const response = await call("GET", `${changesUrl}?since=${since}`);
		// The editor itself shows what is saved after it has opened.
		const changes = response.changes.filter(
			(/** @type {Revision} */ each) => each.version <= Number(version),
		);
		setText(message, turnText({ ...response, changes }, myId()));
	} catch (error) {
		if (!(error instanceof HttpError)) throw error;
	}
}
