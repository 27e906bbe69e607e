/**
 * What the event stream has sent of each row. It sends every row when it opens, and the page has most of them already.
 * Without DOM.
 */

/** @typedef {import("./api.js").RowEvent} RowEvent */

export class RowStates {
	/** @type {Map<string, string>} */
	#known = new Map();

	/**
	 * Remember the state of a row, and return whether it differs from the one before. The first one does not.
	 * @param {RowEvent} event
	 */
	isChange({ page, gone, version, users = [] }) {
		const shown = users.map(({ id, activity, visible, fields, focus }) => [
			id,
			activity,
			visible,
			fields,
			focus,
		]);
		const state = JSON.stringify([gone, version, shown]);
		const before = this.#known.get(page);
		this.#known.set(page, state);
		return gone === true || (before !== undefined && before !== state);
	}
}
