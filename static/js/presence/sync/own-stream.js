/**
 * The event stream of a page without presence: the rows of a list, if it has one, and the user's own events. A page
 * with data-follow also hears of clients that it may have to show. A hidden tab has no stream. Without the stream, the
 * page shows what the server sent with it, and a list asks for its rosters.
 *
 * Reads: [data-page] of the rows within [data-live-rows], when the page loads and after `followRows`;
 *        data-follow: "saves" or "arrivals" of other users; <body data-profile-id>.
 * Fires: `portal:row`, `portal:listed`, `portal:unread`.
 *
 * @example <tbody data-live-rows><tr data-page="client-42">…</tr></tbody>
 */
import { queryAll } from "../../lib/dom.js";
import { fire } from "../../lib/events.js";
import { myId } from "../../session/session.js";
import { SharedStream } from "./shared-stream.js";
import { limitingLocks } from "./stream-slot.js";

const MAX_ROWS = 100;

/** @type {Map<string, import("./api.js").RowEvent>} the last event of each row */
const lastRows = new Map();
/** @type {import("./api.js").ListedEvent[]|null} sent before the script of the page was loaded; null afterwards */
let earlyListed = [];
const follow = document.querySelector("[data-follow]")?.getAttribute("data-follow") ?? "";
let pages = shownPages();
let stream = streamOf(pages);

function shownPages() {
	const rows = queryAll(document, "[data-live-rows] [data-page]", HTMLElement);
	return [...new Set(rows.map(({ dataset }) => dataset.page ?? ""))].slice(0, MAX_ROWS).sort();
}

/** @param {string[]} pages */
function streamOf(pages) {
	// Tabs with the same rows share a stream, and those without rows do, too.
	const context = {
		page: `rows ${follow} ${pages.join(" ")}`,
		profileId: myId(),
		locks: limitingLocks(),
	};
	const query = new URLSearchParams(pages.map((page) => ["page", page]));
	if (follow) query.set("follow", follow);
	return new SharedStream(context, {
		open: () => new EventSource(`/user_page_presence/events?${query}`),
		handlers: {
			row: (detail) => {
				lastRows.set(detail.page, detail);
				fire("row", detail);
			},
			listed: (detail) => {
				earlyListed?.push(detail);
				fire("listed", detail);
			},
			notifications: (detail) => fire("unread", detail),
			"signed-out": () => stream.stop(),
		},
		onBreak: () => {},
	});
}

/** Follow the rows that the page shows now. */
export function followRows() {
	const shown = shownPages();
	if (shown.join() === pages.join()) return;
	stream.stop();
	pages = shown;
	stream = streamOf(pages);
	followVisibility();
}

/** Whether the rows arrive by the stream. */
export const isLive = () => stream.isLive;

/**
 * Return what the stream has sent last of a row, for a module that is loaded after the stream has opened.
 * @param {string} page
 */
export const lastRow = (page) => (isLive() ? lastRows.get(page) : undefined);

/** Fire what the stream has sent of clients that are no rows of the page, and keep no more of it. */
export function fireEarlyListed() {
	for (const event of earlyListed ?? []) fire("listed", event);
	earlyListed = null;
}

function followVisibility() {
	if (document.hidden) return stream.stop();
	if (document.hasFocus()) stream.prefer();
	stream.start();
}

followVisibility();
document.addEventListener("visibilitychange", followVisibility);
window.addEventListener("pagehide", () => stream.stop());
window.addEventListener("pageshow", ({ persisted }) => persisted && followVisibility());
