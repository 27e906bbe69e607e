/**
 * Quick open: a dialog with a combobox (ARIA Authoring Practices) that finds a client and leads to it. The first result is
 * active. Without words it offers the user's recent clients. Loaded by shortcuts.js with its stylesheets.
 *
 * Reads: [data-find], the box in the top bar, which links to the list.
 */
import { createElement, query, setText } from "../lib/dom.js";
import { call } from "../lib/http.js";
import { LatestSearch } from "./latest-search.js";
import { activeAfter, failureOf, summaryOf } from "./options.js";

const MAX_LENGTH = 100;

/** @typedef {string[]} Pieces texts, of which those at odd places matched */
/** @typedef {{url: string, name: Pieces, reference: string, is_restricted: boolean, matches: [string, Pieces][]}} Result */
/** @typedef {{clients: Result[], total: number}} Results */

export function openQuickOpen() {
	const dialog = new QuickOpen();
	dialog.open();
}

class QuickOpen {
	#listUrl = query(document, "[data-find]", HTMLAnchorElement).href;
	#input = createElement("input", {
		id: "quick-open",
		type: "text",
		maxLength: MAX_LENGTH,
		autocomplete: "off",
	});
	#status = createElement("p", { role: "status" });
	#options = createElement("div", { id: "quick-open-options", role: "listbox", ariaLabel: "Clients" });
	#dialog = createElement(
		"dialog",
		{ className: "modal quick-open", ariaLabel: "Find a client" },
		createElement("label", { className: "visually-hidden", htmlFor: "quick-open" }, "Find a client"),
		this.#input,
		this.#status,
		this.#options,
	);
	#active = -1;
	#shownText = "";
	#isEnterPending = false;
	/** @type {LatestSearch<Results>} */
	#search = new LatestSearch(
		(text, signal) => call("GET", `/clients/search?q=${encodeURIComponent(text)}`, { signal }),
		(outcome) => this.#show(outcome),
	);

	open() {
		const input = this.#input;
		input.placeholder = "Name, reference, postcode, phone, email, plan or NI number";
		input.spellcheck = false;
		for (const [name, value] of [
			["role", "combobox"],
			["aria-autocomplete", "list"],
			["aria-controls", "quick-open-options"],
			["aria-expanded", "false"],
		])
			input.setAttribute(name, value);
		input.addEventListener("input", () => this.#start());
		input.addEventListener("keydown", (event) => this.#handleKey(event));
		this.#dialog.addEventListener("close", () => this.#close());
		this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
		document.body.append(this.#dialog);
		this.#dialog.showModal();
		input.focus();
		this.#search.start("", 0);
	}

	get #text() {
		return this.#input.value.trim().replace(/\s+/g, " ");
	}

	#start() {
		this.#isEnterPending = false;
		this.#search.start(this.#text);
	}

	#close() {
		this.#search.stop();
		this.#dialog.remove();
	}

	/** @param {KeyboardEvent} event */
	#handleKey(event) {
		if (event.isComposing) return;
		if (event.key === "Enter") return this.#handleEnter(event);
		const isPlain = !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
		const active = isPlain
			? activeAfter(event.key, this.#active, this.#options.childElementCount)
			: undefined;
		if (active === undefined) return;
		event.preventDefault();
		this.#activate(active);
	}

	/**
	 * Open the active result of the text in the box. The results of an older text may be other clients: Enter then waits, and
	 * opens a result that is the only one.
	 * @param {KeyboardEvent} event
	 */
	#handleEnter(event) {
		event.preventDefault();
		if (this.#text !== this.#shownText) this.#isEnterPending = true;
		else this.#option(this.#active)?.click();
	}

	/** @param {import("./latest-search.js").Outcome<Results>} outcome */
	#show({ text, result, error }) {
		this.#shownText = text;
		const clients = result?.clients ?? [];
		const options = clients.map(optionOf);
		if (text && clients.length) options.push(this.#allOf(text));
		for (const [place, option] of options.entries()) option.id = `quick-open-${place}`;
		this.#options.replaceChildren(...options);
		this.#options.hidden = !options.length;
		this.#input.setAttribute("aria-expanded", `${options.length > 0}`);
		setText(
			this.#status,
			result ? summaryOf(text, clients.length, result.total) : failureOf(error?.status ?? 0),
		);
		this.#status.classList.toggle("error", !result);
		this.#activate(options.length ? 0 : -1);
		if (this.#isEnterPending && clients.length === 1) options[0].click();
		this.#isEnterPending = false;
	}

	/** @param {number} place -1: none */
	#activate(place) {
		this.#option(this.#active)?.setAttribute("aria-selected", "false");
		this.#active = place;
		const option = this.#option(place);
		option?.setAttribute("aria-selected", "true");
		option?.scrollIntoView({ block: "nearest" });
		if (option) this.#input.setAttribute("aria-activedescendant", option.id);
		else this.#input.removeAttribute("aria-activedescendant");
	}

	/** @param {number} place */
	#option(place) {
		return /** @type {HTMLAnchorElement|undefined} */ (this.#options.children[place]);
	}

	/** @param {string} text */
	#allOf(text) {
		const link = createOption(`${this.#listUrl}?view=all&q=${encodeURIComponent(text)}`);
		link.append("All results in the list");
		link.className = "all";
		return link;
	}
}

/** @param {Result} client */
function optionOf({ url, name, reference, is_restricted, matches }) {
	const option = createOption(url);
	const isShown = matches.some(([label]) => label === "Reference");
	const details = createElement("small", { className: "matches" }, isShown ? "" : reference);
	for (const [label, pieces] of matches) {
		if (details.textContent) details.append(" · ");
		details.append(createElement("span", {}, `${label} `, ...marked(pieces)));
	}
	if (is_restricted) details.append(" · Restricted");
	option.append(createElement("span", {}, ...marked(name)), details);
	return option;
}

/** @param {string} href */
function createOption(href) {
	const option = createElement("a", { href, role: "option", tabIndex: -1, ariaSelected: "false" });
	return option;
}

/** @param {Pieces} pieces */
const marked = (pieces) => pieces.map((text, place) => (place % 2 ? createElement("mark", {}, text) : text));
