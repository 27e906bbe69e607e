/** The script of the client list. */
import { keepList } from "../clients/kept-list.js";
import { ViewSum } from "../clients/view-sum.js";
import { query, queryAll } from "../lib/dom.js";
import { loadStylesheet } from "../lib/lazy.js";
import { PresenceDots } from "../presence/ui/dots.js";

customElements.define("presence-dots", PresenceDots);
customElements.define("view-sum", ViewSum);

// The views do not fit into a narrow window. The address of a list may name no view, and the link of the current one does.
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
const rows = document.querySelector("tbody[data-first]");
if (rows instanceof HTMLElement)
	keepList({
		search: new URLSearchParams(location.search).has("view") ? location.search : current.search,
		ids: queryAll(rows, "[data-key]", HTMLElement).map(({ dataset }) => Number(dataset.key)),
		first: Number(rows.dataset.first),
		total: Number(rows.dataset.total),
	});
