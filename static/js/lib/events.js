/** The events by which the components of a page communicate: `portal:…` on the document. */

/** @typedef {import("../presence/sync/roster.js").User} User */
/** @typedef {import("../presence/sync/api.js").SharedDraft} SharedDraft */
/** @typedef {import("../presence/sync/api.js").RowEvent} RowEvent */
/** @typedef {import("../presence/sync/api.js").ListedEvent} ListedEvent */

/**
 * The detail of each event.
 * @typedef {Object} PortalEvents
 * @property {{users: User[], others: User[], isSettled: boolean}} roster the viewers of the page, after each response.
 *   `users`: as the server sent them; `others`: those to show; `isSettled`: an empty `others` can be relied upon
 * @property {{user: User}} join a user has opened the page
 * @property {{user: User}} leave a user has left the page
 * @property {{state: ConnectionState}} connection the connection has changed
 * @property {{by: number}} nudge a user who waits has asked the editors to finish
 * @property {{unread: number}} unread the number of the user's unread notifications; 100: more than 99
 * @property {RowEvent} row the state of one row of a list, or that the user may no longer see it
 * @property {ListedEvent} listed a list may have to show a client that is none of its rows
 * @property {undefined} rows-polled the rosters of a list were read without the stream
 * @property {undefined} rows-shown the rows of a list have been replaced
 * @property {{drafts: SharedDraft[], read_at: number}} drafts what the editors of the user's open forms have typed and not saved
 * @property {{version: number}} saved the server has a newer version of the record than this page
 * @property {{activity?: "viewing"|"editing", fields?: string[], focus?: string|null}} activity what the user edits, if it
 *   has changed. `fields`: labels of the changed fields; `focus`: label of the field that has the keyboard focus
 * @property {{names: string[]}} locate show the first of these fields or parts that the page has
 * @property {{href: string}} wait the user waits for the record; href: the editor
 * @property {undefined} finish the user wants to finish: save and leave the editor
 * @property {undefined} renewed the user has signed in again
 * @property {undefined} sign-in-wanted the user has sent a form while signed out
 * @property {{mayRead: boolean}} access-lost the user has sent a form, and may no longer save the record
 */
/** @typedef {"online"|"reconnecting"|"signed-out"|"gone"} ConnectionState */

/**
 * Call the listener at each event of this name.
 * @example on("roster", ({ others }) => draw(others));
 * @template {keyof PortalEvents} Name
 * @param {Name} name
 * @param {(detail: PortalEvents[Name]) => void} listener
 * @param {AbortSignal} [signal] removes the listener
 */
export function on(name, listener, signal) {
	document.addEventListener(
		`portal:${name}`,
		(event) => listener(/** @type {CustomEvent<PortalEvents[Name]>} */ (event).detail),
		{ signal },
	);
}

/**
 * Dispatch an event.
 * @example fire("wait", { href: link.href });
 * @template {keyof PortalEvents} Name
 * @param {Name} name
 * @param {PortalEvents[Name] extends undefined ? [] : [PortalEvents[Name]]} detail
 */
export function fire(name, ...[detail]) {
	document.dispatchEvent(new CustomEvent(`portal:${name}`, { detail }));
}
