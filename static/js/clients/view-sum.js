/**
 * <view-sum>: the sum of the values of a view. Most views are added up at once. A larger one is added up when the user
 * wants it, because the server reads the latest valuation of each product.
 *
 * Reads: data-url of the sum; data-clients, the number of clients.
 *
 * @example <view-sum data-url="/clients/sum?view=mine" data-clients="41" role="status"></view-sum>
 */
import { createElement } from "../lib/dom.js";
import { call } from "../lib/http.js";

const MAX_CLIENTS_AT_ONCE = 5_000; // 0.1 s of PostgreSQL

export class ViewSum extends HTMLElement {
	connectedCallback() {
		this.load();
	}

	/** Add the values up, or offer it. The sum so far stays until then. */
	load() {
		if (Number(this.dataset.clients) <= MAX_CLIENTS_AT_ONCE) this.#add();
		else this.#offer("Add up the values");
	}

	async #add() {
		try {
			const { total } = await call("GET", this.dataset.url ?? "");
			this.replaceChildren(createElement("span", {}, "Total ", createElement("b", {}, total)));
		} catch {
			this.#offer("The values could not be added up. Try again");
		}
	}

	/** @param {string} text */
	#offer(text) {
		const button = createElement("button", { className: "button quiet small", type: "button" }, text);
		button.addEventListener("click", () => {
			button.disabled = true;
			this.#add();
		});
		this.replaceChildren(button);
	}
}
