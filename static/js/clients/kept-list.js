/**
 * The list from which the user of this tab went to a client: its address for the way back, and its clients in the order
 * that the user saw. Without storage there is none.
 */
import { query, queryAll } from "../lib/dom.js";
import { myId } from "../session/session.js";

const KEY = "client-list";

/**
 * @typedef {Object} KeptList
 * @property {string} search "?view=mine&sort=-total&page=2"
 * @property {number[]} ids of some clients in their order
 * @property {number} first the number of the first of them in the list, from 1
 * @property {number} total of the list
 * @property {boolean} [isWide] the ids are more than those of one page
 */

/** Keep the list that this page shows. Its address may name no view, and the link of the current view does. */
export function keepShownList() {
	const rows = document.querySelector("tbody[data-first]");
	if (!(rows instanceof HTMLElement)) return;
	const current = query(document, ".views [aria-current]", HTMLAnchorElement);
	keepList({
		search: new URLSearchParams(location.search).has("view") ? location.search : current.search,
		ids: queryAll(rows, "[data-key]", HTMLElement).map(({ dataset }) => Number(dataset.key)),
		first: Number(rows.dataset.first),
		total: Number(rows.dataset.total),
	});
}

/** @param {KeptList} list */
export function keepList(list) {
	try {
		sessionStorage.setItem(KEY, JSON.stringify({ ...list, by: myId() }));
	} catch {}
}

/**
 * Return the list, if this user has seen one in this tab.
 * @returns {KeptList|null}
 */
export function keptList() {
	try {
		const list = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
		return list?.by === myId() ? list : null;
	} catch {
		return null;
	}
}
