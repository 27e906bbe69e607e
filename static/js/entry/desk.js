/**
 * The script of the desk: reloads its parts in place while it is visible. The event stream says when a client that the
 * desk names has changed, another user has opened a further client, or the notifications have changed. The regular
 * reload, as frequent as the heartbeats of a page, finds the rest, and everything without the stream.
 */
import { query, queryAll } from "../lib/dom.js";
import { on } from "../lib/events.js";
import { refreshLiveParts } from "../lib/live-parts.js";
import { Heartbeat } from "../presence/sync/heartbeat.js";
import { fireEarlyListed, followRows, lastRow } from "../presence/sync/own-stream.js";
import { RowStates } from "../presence/sync/row-states.js";

const RELOAD_AFTER_MS = 300; // a save changes the version and the roster
const MIN_PAUSE_MS = 5_000; // colleagues who move through a form change the roster with each field

const { dataset } = query(document, "[data-heartbeat-seconds]", HTMLElement);
const states = new RowStates();
let isReloadDue = false;
let readAt = 0;
let unread = query(document, ".bell", HTMLElement).dataset.unread ?? "";

const heartbeat = new Heartbeat({
	send: () => refreshLiveParts(location.href),
	onResponse: () => {
		readAt = Date.now();
		followRows();
	},
	onFailure: () => {}, // every-page.js tells the user; the next interval tries again
});
heartbeat.heartbeatMs = Number(dataset.heartbeatSeconds) * 1000;

// The stream may have sent rows and other clients before this module was loaded.
for (const row of queryAll(document, "[data-live-rows] [data-page]", HTMLElement)) {
	const sent = lastRow(row.dataset.page ?? "");
	if (sent) states.isChange(sent);
}

function reload(withinMs = 0) {
	if (isReloadDue) return;
	isReloadDue = true;
	const leastMs = Math.max(RELOAD_AFTER_MS, readAt + MIN_PAUSE_MS - Date.now());
	const pauseMs = leastMs + Math.random() * withinMs; // many desks do not reload at once
	setTimeout(() => {
		isReloadDue = false;
		heartbeat.beat();
	}, pauseMs);
}
on("row", (event) => states.isChange(event) && reload());
on("listed", ({ within_ms }) => reload(within_ms));
fireEarlyListed();
on("unread", (event) => {
	if (`${event.unread}` === unread) return;
	unread = `${event.unread}`;
	reload();
});

const follow = () => (document.hidden ? heartbeat.stop() : heartbeat.start());
follow();
document.addEventListener("visibilitychange", follow);
window.addEventListener("pageshow", ({ persisted }) => persisted && follow());
