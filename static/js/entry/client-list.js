/** The script of the client list. */
import { keepShownList } from "../clients/kept-list.js";
import { ViewSum } from "../clients/view-sum.js";
import { query, queryAll } from "../lib/dom.js";
import { fire, on } from "../lib/events.js";
import { loadOn, loadStylesheet } from "../lib/lazy.js";
import { fireEarlyListed, isLive, lastRow } from "../presence/sync/own-stream.js";
import { PresenceDots } from "../presence/ui/dots.js";

const STREAM_OPENS_MS = 5_000;
// The server tells a new stream of the clients of the last 30 s. A tab that was hidden for longer compares all rows.
const KNOWN_MS = 20_000;

customElements.define("presence-dots", PresenceDots);
customElements.define("view-sum", ViewSum);

// The views do not fit into a narrow window.
const current = query(document, ".views [aria-current]", HTMLAnchorElement);
current.scrollIntoView({ block: "nearest", inline: "center" });
// Few users change several clients at once. A reload may restore a selection before this module runs.
const loadBulk = () =>
	Promise.all([loadStylesheet("clients/bulk"), import("../clients/bulk.js")]).then(([, bulk]) =>
		bulk.drawSelection(),
	);
const table = document.querySelector(".whole-rows:has(.pick)");
table?.addEventListener("change", () => loadBulk().catch(() => {}), { once: true });
if (table?.querySelector(".pick :checked")) loadBulk().catch(() => {});
keepShownList();

// Most lists are left before a client of theirs is changed elsewhere.
const loadChanges = () => import("../clients/list-changes.js");
loadOn(["row"], loadChanges, ({ page, version, gone }) => {
	const row = document.querySelector(`[data-live-rows] [data-page="${page}"]`);
	return row instanceof HTMLElement && (gone || (version ?? 0) > Number(row.dataset.version));
});
loadOn(["listed"], loadChanges);
// The stream may have sent rows and other clients before this module was loaded.
fireEarlyListed();
for (const { dataset } of queryAll(document, "[data-live-rows] [data-page]", HTMLElement)) {
	const sent = lastRow(dataset.page ?? "");
	if (sent) fire("row", sent);
}
const compare = () =>
	loadChanges()
		.then((module) => module.compare())
		.catch(() => {}); // the next poll tries again
// The rows are read without the stream while it opens, too.
on("rows-polled", () => setTimeout(() => isLive() || document.hidden || compare(), STREAM_OPENS_MS));
let hiddenAt = 0;
document.addEventListener("visibilitychange", () => {
	if (document.hidden) hiddenAt = Date.now();
	else if (Date.now() - hiddenAt > KNOWN_MS) compare();
});
