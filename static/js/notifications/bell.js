/**
 * The number of unread notifications in the top bar. A screen reader hears that there are new ones, not each number.
 *
 * Reads:   data-unread of .bell.
 * Listens: `portal:unread`.
 */
import { createElement, query, setText } from "../lib/dom.js";
import { on } from "../lib/events.js";

const MAX_SHOWN = 99;
// A burst is announced once.
const ANNOUNCEMENT_MS = 20_000;

const bell = query(document, ".bell", HTMLAnchorElement);
const status = createElement("p", { className: "visually-hidden" });
status.setAttribute("role", "status");
bell.after(status);
let announcedAt = Number.NEGATIVE_INFINITY;

/** @param {number} unread */
function show(unread) {
	const before = Number(bell.dataset.unread);
	bell.dataset.unread = `${unread}`;
	const isMany = unread > MAX_SHOWN;
	setText(query(bell, "b", HTMLElement), isMany ? `${MAX_SHOWN}+` : unread ? `${unread}` : "");
	query(bell, "b", HTMLElement).hidden = !unread;
	const many = `more than ${MAX_SHOWN}`;
	const words = `${isMany ? many : unread} unread`;
	setText(query(bell, ".visually-hidden", HTMLElement), unread ? `Notifications: ${words}` : "Notifications");
	if (unread > before && performance.now() - announcedAt > ANNOUNCEMENT_MS) {
		announcedAt = performance.now();
		setText(status, "You have a new notification.");
	} else if (unread < before) setText(status, "");
}

on("unread", ({ unread }) => show(unread));

/** @param {HTMLAnchorElement} link */
export const toggle = async (link) => (await import("./panel.js")).toggle(link);
