/** The presence API (docs/api.md) as functions. Each rejects with an `HttpError`. */
import { call } from "../../lib/http.js";

/** @typedef {import("./roster.js").User} User */
/**
 * @typedef {Object} PresenceResponse the response to a heartbeat, and the `roster` event of the stream
 * @property {number} heartbeat_seconds
 * @property {number} read_at when the server read the roster, in seconds since 1970
 * @property {User[]} users
 * @property {number|null} version of the record; null for a kind of page without versions
 * @property {string} [drafts] only in a response to a heartbeat: differs when other editors' unsaved values differ
 */
/**
 * @typedef {Object} SharedDraft the unsaved values of one user in one form, this user's own included
 * @property {string} form
 * @property {number} user id of the profile
 * @property {string} updated_at
 * @property {Record<string, string>} values
 * @property {number} version of the record at which the user started
 * @property {string} seen newer versions that the user has seen
 */
/** @typedef {{read_at: number, drafts: SharedDraft[]}} DraftsResponse */
/** @typedef {PresenceResponse & {page: string, gone?: true}} RowEvent of a gone row: only page and gone */
/**
 * @typedef {Object} ListedEvent
 * @property {string} [page] that a list may have to show; without it, the list may have to show any page
 * @property {number} within_ms the time in which all lists ask the server, each at a random moment
 */
/**
 * @typedef {Object} TabState what a tab reports of itself
 * @property {string} page_identifier
 * @property {string} tab_id
 * @property {boolean} visible
 * @property {"viewing"|"editing"} activity
 * @property {string[]} fields labels of the fields that the user has changed
 * @property {string|null} focus label of the field that has the keyboard focus
 * @property {boolean} waiting
 * @property {"soon"|"done"|null} answer to a nudge
 * @property {number} stream number of the tab's current or next event stream
 * @property {string} [form] that the tab's editor has open
 * @property {string} [draft] id of the draft that the tab writes
 */

const PATH = "/user_page_presence";

/**
 * Send a heartbeat.
 * @param {TabState} state
 * @param {AbortSignal} signal
 * @returns {Promise<PresenceResponse>}
 */
export const beat = (state, signal) => call("POST", PATH, { body: state, signal });

/**
 * Remove a tab. The request outlives the page.
 * @param {string} page
 * @param {string} tabId
 */
export const leave = (page, tabId) => call("DELETE", `${PATH}/${page}?tab_id=${tabId}`, { keepalive: true });

/**
 * Open the event stream of a page.
 * @param {string} page
 * @param {string} tabId
 * @param {number} number of the tab's streams
 */
export const events = (page, tabId, number) =>
	new EventSource(`${PATH}/${page}/events?tab_id=${tabId}&stream=${number}`);

/**
 * Return what the other editors of the tab's form have typed and not saved.
 * @param {string} page
 * @returns {Promise<DraftsResponse>}
 */
export const drafts = (page) => call("GET", `${PATH}/${page}/drafts`);

/**
 * Ask the other users to finish.
 * @param {string} page
 * @param {string} tabId of the tab that waits
 */
export const nudge = (page, tabId) => call("POST", `${PATH}/${page}/nudge`, { body: { tab_id: tabId } });

/**
 * Return who is on a page.
 * @param {string} page
 * @param {number} timeoutMs
 * @returns {Promise<User[]>}
 */
export const roster = (page, timeoutMs) => call("GET", `${PATH}/${page}`, { timeoutMs });

/**
 * Return who is on each of several pages.
 * @param {string[]} pages at most 100
 * @returns {Promise<Record<string, User[]>>}
 */
export const rosters = (pages) =>
	call("GET", `${PATH}?${new URLSearchParams(pages.map((page) => ["page", page]))}`);

// A response that another one has overtaken is older by less than this. If it is older by more, the clock of the
// database has been set back.
const OVERTAKEN_SECONDS = 10;

/**
 * Whether a response is older than the newest one, which has overtaken it.
 * @param {number} readAt
 * @param {number} newest
 */
export const isOvertaken = (readAt, newest) => newest - OVERTAKEN_SECONDS < readAt && readAt < newest;
