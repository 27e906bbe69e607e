/** Which rows of a list the server has in a newer version than the page shows. Without DOM. */

/** @typedef {import("../presence/sync/api.js").RowEvent} RowEvent */

export class RowChanges {
	/** @type {Map<string, number>} the version that the page shows of each row, in their order */
	#shown = new Map();
	/** @type {Map<string, number>} the newest known version of each row */
	#newest = new Map();
	#isOrderNew = false;

	/**
	 * The page shows these rows from now on. What is known of newer versions stays known.
	 * @param {[string, number][]} rows page and version
	 */
	show(rows) {
		this.#shown = new Map(rows);
		this.#isOrderNew = false;
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
	 * Take in the present order of the list from the first row on, read without the stream.
	 * @param {[string, number][]} rows page and version; at least as many as the page shows, if there are so many
	 */
	takeOrder(rows) {
		for (const [page, version] of rows) if (this.#shown.has(page)) this.take({ page, version });
		const shown = [...this.#shown.keys()];
		this.#isOrderNew =
			rows.slice(0, shown.length).some(([page], i) => page !== shown[i]) || rows.length < shown.length;
	}

	/** What the user is told; empty while the page shows the newest versions. */
	get sentence() {
		const count = [...this.#shown].filter(
			([page, version]) => (this.#newest.get(page) ?? 0) > version,
		).length;
		if (count) return count === 1 ? "1 client changed" : `${count} clients changed`;
		return this.#isOrderNew ? "The list has changed" : "";
	}
}
