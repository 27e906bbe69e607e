/**
 * <list-changes>: offers to show what was changed elsewhere in the rows of the list, and clients that have come into its
 * view. The rows stay as they are until the user wants it. Then the same address is read again and the page is updated
 * in place: focus, selection and scroll position stay, and changes are highlighted. A row that the user may no longer
 * see is emptied at once and not counted.
 *
 * Reads:   data-order-url; data-live-rows, data-page, data-version of the rows; data-first and data-total of their table,
 *          which a list without clients does not have.
 * Listens: `portal:row`, `portal:listed`. Fires: `portal:rows-shown`.
 * Markup:  templates/clients/listing/_changes.html.
 *
 * @example <list-changes data-order-url="/clients/order?view=mine"><div><p role="status"></p><button hidden></button></div></list-changes>
 */
import { query, queryAll, setText } from "../lib/dom.js";
import { fire, on } from "../lib/events.js";
import { HttpError } from "../lib/http.js";
import { loadStylesheet } from "../lib/lazy.js";
import { fetchPage, showLiveParts } from "../lib/live-parts.js";
import { followRows } from "../presence/sync/own-stream.js";
import { keepShownList } from "./kept-list.js";
import { RowChanges } from "./row-changes.js";
import { ViewSum } from "./view-sum.js";

// Many clients may be changed at once, for example by an import. The sentence is drawn once for all of them.
const DRAW_AFTER_MS = 500;
const TIMEOUT_MS = 10_000;
const MAX_ASKED = 100; // of other clients in one request; beyond it the whole order is read

class ListChanges extends HTMLElement {
	#changes = new RowChanges();
	#button = query(this, "button", HTMLButtonElement);
	#status = query(this, "[role=status]", HTMLElement);
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	#drawing;
	#isReading = false;
	/** @type {Set<string>} pages that the list may have to show */
	#listed = new Set();
	#isOrderUnknown = false;
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	#asking;

	connectedCallback() {
		this.#readRows();
		on("row", (event) => {
			this.#changes.take(event);
			if (event.gone) empty(event.page);
			this.#drawing ??= setTimeout(() => this.#draw(), DRAW_AFTER_MS);
		});
		on("listed", ({ page, within_ms }) => {
			if (page) this.#listed.add(page);
			else this.#isOrderUnknown = true;
			this.#asking ??= setTimeout(
				() => this.#ask().catch(() => {}), // the next event asks again
				DRAW_AFTER_MS + Math.random() * within_ms,
			);
		});
		this.#button.addEventListener("click", () => this.#show());
	}

	/** Read the order of the list, for a page without the stream, or one that has not heard of every client. */
	async compare() {
		// Before the request: an event that arrives during it asks again.
		this.#listed.clear();
		this.#isOrderUnknown = false;
		try {
			this.#changes.takeOrder(await this.#order(`start=${place().first}`), place());
		} catch (error) {
			this.#isOrderUnknown = true;
			throw error;
		}
		this.#draw();
	}

	/** Ask which of the clients that were changed elsewhere belong to the rows now. */
	async #ask() {
		this.#asking = undefined;
		if (this.#isOrderUnknown || this.#listed.size > MAX_ASKED) return this.compare();
		const listed = [...this.#listed];
		this.#listed.clear(); // before the request, as above
		const named = [...listed, ...this.#changes.pages].map((page) => `client=${page.split("-")[1]}`);
		try {
			this.#changes.takeListed(listed, await this.#order(named.join("&")), place());
		} catch (error) {
			for (const page of listed) this.#listed.add(page);
			throw error;
		}
		this.#draw();
	}

	/**
	 * Read clients of the view in their order. The request does not extend the sign-in session.
	 * @param {string} parameters
	 * @returns {Promise<[string, number][]>} page and version
	 */
	async #order(parameters) {
		const response = await fetch(`${this.dataset.orderUrl}&${parameters}`, {
			headers: { "X-Background": "1" },
			redirect: "error",
			signal: AbortSignal.timeout(TIMEOUT_MS),
		});
		if (!response.ok) throw new HttpError(response.status, "");
		/** @type {{clients: [number, number][]}} */
		const { clients } = await response.json();
		return clients.map(([id, version]) => [`client-${id}`, version]);
	}

	#readRows() {
		const rows = queryAll(document, "[data-live-rows] [data-page]", HTMLElement);
		this.#changes.show(rows.map(({ dataset }) => [dataset.page ?? "", Number(dataset.version)]));
	}

	#draw() {
		clearTimeout(this.#drawing);
		this.#drawing = undefined;
		const { sentence } = this.#changes;
		setText(this.#status, sentence);
		this.#button.hidden = !sentence;
	}

	async #show() {
		if (this.#isReading) return;
		this.#isReading = true;
		try {
			const fresh = await fetchPage(location.href, { isUsers: true });
			// The view had no client, or none is left in it.
			if (![fresh, document].every((each) => each.querySelector("[data-live-rows]")))
				return location.reload();
			await loadStylesheet("editing/highlight").catch(() => {});
			const top = scrollY; // the page is shorter while rows move, and the browser would scroll up
			showLiveParts(fresh);
			scrollTo({ top, behavior: "instant" });
			const sum = query(document, "view-sum", ViewSum);
			sum.dataset.clients = query(fresh, "view-sum", HTMLElement).dataset.clients;
			sum.load();
			this.#readRows();
			followRows();
			keepShownList();
			fire("rows-shown");
			this.#draw();
		} catch {
			setText(this.#status, "The list could not be read. Try again.");
		} finally {
			this.#isReading = false;
		}
	}
}

/** Where the rows of the page are in the list. */
function place() {
	const rows = document.querySelector("tbody[data-first]");
	if (!(rows instanceof HTMLTableSectionElement)) return { first: 1, isFirst: true, isLast: true };
	const first = Number(rows.dataset.first);
	return { first, isFirst: first === 1, isLast: first + rows.rows.length > Number(rows.dataset.total) };
}

/**
 * Remove what a row says, and keep its place.
 * @param {string} page
 */
function empty(page) {
	const row = queryAll(document, "[data-live-rows] [data-page]", HTMLElement).find(
		({ dataset }) => dataset.page === page,
	);
	if (!row) return;
	row.style.blockSize = `${row.getBoundingClientRect().height}px`;
	for (const name of ["data-page", "data-key", "data-version"]) row.removeAttribute(name);
	for (const cell of row.children) cell.replaceChildren();
	setText(query(row, ".main-cell", HTMLElement), "No longer available");
	keepShownList();
	fire("rows-shown");
}

customElements.define("list-changes", ListChanges);

/** Compare the rows with the list as it is now. */
export const compare = () => query(document, "list-changes", ListChanges).compare();
