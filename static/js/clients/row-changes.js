/** Which rows of a list the server has in a newer version than the page shows, and which ones it misses. Without DOM. */

/** @typedef {import("../presence/sync/api.js").RowEvent} RowEvent */

export class RowChanges {
	/** @type {Map<string, number>} the version that the page shows of each row, in their order */
	#shown = new Map();
	/** @type {Map<string, number>} the newest known version of each row */
	#newest = new Map();
	#isOrderNew = false;
	/** @type {Set<string>} pages that have come between the shown rows */
	#entered = new Set();

	/** The pages of the shown rows. */
	get pages() {
		return [...this.#shown.keys()];
	}

	/**
	 * The page shows these rows from now on. What is known of newer versions stays known.
	 * @param {[string, number][]} rows page and version
	 */
	show(rows) {
		this.#shown = new Map(rows);
		this.#isOrderNew = false;
		this.#entered.clear();
		for (const page of this.#newest.keys()) if (!this.#shown.has(page)) this.#newest.delete(page);
	}

	/**
	 * Take in the state of one row. A row that the user may no longer see is not counted.
	 * @param {Pick<RowEvent, "page"|"version"|"gone">} event
	 */
	take({ page, version, gone }) {
		if (gone) this.#shown.delete(page);
		else this.#newest.set(page, version ?? 0);
	}

	/**
	 * Take in the present order of the list from the first shown row on.
	 * @param {[string, number][]} rows page and version; more than the page shows, if there are so many
	 * @param {{isLast: boolean}} place whether the page shows the last row of the list
	 */
	takeOrder(rows, { isLast }) {
		for (const [page, version] of rows) if (this.#shown.has(page)) this.take({ page, version });
		const shown = [...this.#shown.keys()];
		this.#isOrderNew =
			rows.slice(0, shown.length).some(([page], i) => page !== shown[i]) ||
			rows.length < shown.length ||
			(isLast && rows.length > shown.length);
		const pages = new Set(rows.map(([page]) => page));
		for (const page of this.#entered) if (!pages.has(page)) this.#entered.delete(page);
	}

	/**
	 * Take in which pages belong to the view now. Those that belong to another page of the list are not counted.
	 * @param {string[]} asked pages that the list may have to show
	 * @param {[string, number][]} rows page and version of those asked and shown that are in the view, in its order
	 * @param {{isFirst: boolean, isLast: boolean}} place whether the page shows the first and the last row of the list
	 */
	takeListed(asked, rows, { isFirst, isLast }) {
		const shownAt = rows.flatMap(([page], i) => (this.#shown.has(page) ? [i] : []));
		const from = isFirst ? 0 : (shownAt[0] ?? rows.length);
		const to = isLast ? rows.length - 1 : (shownAt.at(-1) ?? -1);
		const between = new Set(rows.slice(from, to + 1).map(([page]) => page));
		for (const page of asked) {
			if (between.has(page) && !this.#shown.has(page)) this.#entered.add(page);
			else this.#entered.delete(page);
		}
	}

	/** What the user is told; empty while the page shows the newest versions. */
	get sentence() {
		const changed = [...this.#shown].filter(
			([page, version]) => (this.#newest.get(page) ?? 0) > version,
		).length;
		const entered = this.#entered.size;
		if (changed) {
			const sentence = changed === 1 ? "1 client changed" : `${changed} clients changed`;
			return entered ? `${sentence}, ${entered} new` : sentence; // fits into a narrow window
		}
		if (entered) return `${entered} new in this list`;
		return this.#isOrderNew ? "The list has changed" : "";
	}
}
