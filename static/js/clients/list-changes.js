/**
 * <list-changes>: offers to show what was changed elsewhere in the rows of the list. The rows stay as they are until the
 * user wants it. Then the same address is read again and the page is updated in place: focus, selection and scroll
 * position stay, and changes are highlighted. A row that the user may no longer see is emptied at once and not counted.
 *
 * Reads:   data-order-url; data-live-rows, data-page, data-version of the rows; data-first of their table.
 * Listens: `portal:row`. Fires: `portal:rows-shown`.
 * Markup:  templates/clients/listing/_changes.html.
 *
 * @example <list-changes data-order-url="/clients/order?view=mine"><div><p role="status"></p><button hidden></button></div></list-changes>
 */
import { query, queryAll, setText } from "../lib/dom.js";
import { fire, on } from "../lib/events.js";
import { loadStylesheet } from "../lib/lazy.js";
import { fetchPage, showLiveParts } from "../lib/live-parts.js";
import { followRows } from "../presence/sync/own-stream.js";
import { keepShownList } from "./kept-list.js";
import { RowChanges } from "./row-changes.js";
import { ViewSum } from "./view-sum.js";

// Many clients may be changed at once, for example by an import. The sentence is drawn once for all of them.
const DRAW_AFTER_MS = 500;
const TIMEOUT_MS = 10_000;

class ListChanges extends HTMLElement {
	#changes = new RowChanges();
	#button = query(this, "button", HTMLButtonElement);
	#status = query(this, "[role=status]", HTMLElement);
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	#drawing;
	#isReading = false;

	connectedCallback() {
		this.#readRows();
		on("row", (event) => {
			this.#changes.take(event);
			if (event.gone) empty(event.page);
			this.#drawing ??= setTimeout(() => this.#draw(), DRAW_AFTER_MS);
		});
		this.#button.addEventListener("click", () => this.#show());
	}

	/** Read the order of the list, for a page without the stream. The request does not extend the sign-in session. */
	async compare() {
		const first = query(document, "tbody[data-first]", HTMLElement).dataset.first;
		const response = await fetch(`${this.dataset.orderUrl}&start=${first}`, {
			headers: { "X-Background": "1" },
			redirect: "error",
			signal: AbortSignal.timeout(TIMEOUT_MS),
		});
		if (!response.ok) return;
		/** @type {{clients: [number, number][]}} */
		const { clients } = await response.json();
		this.#changes.takeOrder(clients.map(([id, version]) => [`client-${id}`, version]));
		this.#draw();
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
			if (!fresh.querySelector("[data-live-rows]")) return location.reload(); // no client is left in the view
			await loadStylesheet("editing/highlight").catch(() => {});
			const place = scrollY; // the page is shorter while rows move, and the browser would scroll up
			showLiveParts(fresh);
			scrollTo({ top: place, behavior: "instant" });
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
