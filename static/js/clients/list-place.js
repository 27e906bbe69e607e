/**
 * Leads from a client page to the previous and next client of the list from which the user came, and back to the list
 * with its view, search, order and page. The order is the one that the user saw: a client that has left the view since,
 * such as one whose overdue review is done, keeps its place.
 *
 * Reads:  data-page of <presence-page>, "client-42".
 * Markup: templates/clients/page/client.html, the breadcrumb and .neighbours.
 */
import { query } from "../lib/dom.js";
import { call } from "../lib/http.js";
import { loadStylesheet } from "../lib/lazy.js";
import { keepList, keptList } from "./kept-list.js";

const BEFORE = 250; // the server returns 500 clients

// The breadcrumb is updated in place, so its link is set at the click.
document.addEventListener(
	"click",
	({ target }) => {
		const link = target instanceof Element && target.closest("[data-to-list]");
		const list = link && keptList();
		if (link instanceof HTMLAnchorElement && list) link.search = list.search;
	},
	{ capture: true },
);

const neighbours = document.querySelector(".neighbours");
if (neighbours instanceof HTMLElement) {
	loadStylesheet("clients/neighbours")
		.then(() => showNeighbours(neighbours))
		.catch(() => {}); // the next page tries again
}

/** @param {HTMLElement} place */
async function showNeighbours(place) {
	const { page = "" } = query(document, "presence-page", HTMLElement).dataset;
	const id = Number(page.split("-")[1]);
	const list = await widened(keptList(), id);
	const at = list?.ids.indexOf(id) ?? -1;
	if (!list || at < 0) return;
	lead(query(place, "[rel=prev]", HTMLAnchorElement), list.ids[at - 1]);
	lead(query(place, "[rel=next]", HTMLAnchorElement), list.ids[at + 1]);
	query(place, "[data-position]", HTMLElement).textContent =
		`${(list.first + at).toLocaleString("en")} of ${list.total.toLocaleString("en")}`;
	place.hidden = false;
}

/**
 * Return the list with the clients around this one. They are read once, before the user changes what the list shows, and
 * again where they end.
 * @param {import("./kept-list.js").KeptList|null} list
 * @param {number} id
 */
async function widened(list, id) {
	const at = list?.ids.indexOf(id) ?? -1;
	if (!list || at < 0) return list;
	const { ids, first, total, search } = list;
	const isAtEnd = (at === 0 && first > 1) || (at === ids.length - 1 && first + at < total);
	if (list.isWide ? !isAtEnd : ids.length >= total) return list;
	const start = Math.max(1, first + at - BEFORE);
	const { clients } = await call("GET", `/clients/order${search}&start=${start}`);
	const around = clients.map((/** @type {[number, number]} */ [number]) => number);
	const wide = { ...list, ids: around, first: start, isWide: true };
	if (!around.includes(id)) return list;
	keepList(wide);
	return wide;
}

/**
 * @param {HTMLAnchorElement} link
 * @param {number|undefined} id
 */
function lead(link, id) {
	if (id) link.href = `/clients/${id}`;
	else link.ariaDisabled = "true";
}
