/** The script of the desk: reloads its parts in place while it is visible, as often as a page sends heartbeats. */
import { query } from "../lib/dom.js";
import { refreshLiveParts } from "../lib/live-parts.js";
import { Heartbeat } from "../presence/sync/heartbeat.js";

const heartbeat = new Heartbeat({
	send: () => refreshLiveParts(location.href),
	onResponse: () => {},
	onFailure: () => {}, // every-page.js tells the user; the next interval tries again
});
const { dataset } = query(document, "[data-heartbeat-seconds]", HTMLElement);
heartbeat.heartbeatMs = Number(dataset.heartbeatSeconds) * 1000;
const follow = () => (document.hidden ? heartbeat.stop() : heartbeat.start());
follow();
document.addEventListener("visibilitychange", follow);
window.addEventListener("pageshow", ({ persisted }) => persisted && follow());
