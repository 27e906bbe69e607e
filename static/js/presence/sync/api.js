// @ts-check
/** The presence API as functions; errors are those of http.js. */
import { call } from "../../lib/http.js";

const PATH = "/user_page_presence";

/** @param {Object} state of the tab, as docs/api.md has it @param {AbortSignal} signal */
export const beat = (state, signal) => call("POST", PATH, { body: state, signal });

/** Takes one tab out, even while its page is going away. @param {string} page @param {string} tabId */
export const leave = (page, tabId) => call("DELETE", `${PATH}/${page}?tab_id=${tabId}`, { keepalive: true });

/** Changes as they happen. @param {string} page @param {string} tabId @param {number} number of the tab's streams */
export const events = (page, tabId, number) =>
	new EventSource(`${PATH}/${page}/events?tab_id=${tabId}&stream=${number}`);

/** Asks the others to finish. @param {string} page @param {string} tabId that waits */
export const nudge = (page, tabId) => call("POST", `${PATH}/${page}/nudge`, { body: { tab_id: tabId } });

/** @param {string} page @param {number} timeoutMs @returns {Promise<import("./roster.js").User[]>} */
export const roster = (page, timeoutMs) => call("GET", `${PATH}/${page}`, { timeoutMs });

/** @param {string[]} pages at most 100 @returns {Promise<Record<string, import("./roster.js").User[]>>} */
export const rosters = (pages) =>
	call("GET", `${PATH}?${new URLSearchParams(pages.map((page) => ["page", page]))}`);
