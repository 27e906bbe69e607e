/**
 * Fetches what was saved since the page was made, when an event or a heartbeat reports a newer version. What the user
 * has saved without leaving the page is left out.
 *
 * Reads:   data-changes-url and data-version of <presence-page>. It updates data-version.
 * Listens: `portal:saved`. If there is no response, the next heartbeat fires it again.
 *
 * @example onSaved(page, ({ changes }) => show(changes));
 */
import { on } from "../../lib/events.js";
import { call, HttpError } from "../../lib/http.js";
import { myId } from "../../session/session.js";

/** @typedef {import("./revisions.js").Revision} Revision */
/** @typedef {{version: number, changes: Revision[], truncated?: boolean}} Changes truncated: too many to send */

/** @typedef {{show: (changes: Changes) => any, version: number}} Follower version: the newest that it has shown */

/** @type {Set<Follower>} */
const followers = new Set();
let newest = 0;
let isListening = false;
let isFetching = false;
/** The version that the page showed when it was made. @type {number|undefined} */
let madeAt;
/** The newest version that may be a save of this page by its user. */
let ownVersion = 0;
/** @type {Promise<any>} a save of this page by its user */
let ownSave = Promise.resolve();

/**
 * Call `show` with the changes after each save.
 * @param {HTMLElement} page <presence-page>
 * @param {(changes: Changes) => any} show
 * @param {{version?: number, signal?: AbortSignal}} [options] version: from which the changes are new. By default that of
 *     the page as it was made: a module that is loaded later has not shown what others have shown since.
 */
export function onSaved(page, show, { version, signal } = {}) {
	madeAt ??= Number(page.dataset.version);
	const follower = { show, version: version ?? madeAt };
	followers.add(follower);
	signal?.addEventListener("abort", () => followers.delete(follower));
	if (!isListening) {
		isListening = true;
		on("saved", (detail) => {
			newest = Math.max(newest, detail.version);
			fetchChanges(page);
		});
	}
	newest = Math.max(newest, Number(page.dataset.version));
	fetchChanges(page);
}

/**
 * Wait for the response to a save before anything is shown, because only then its version is known.
 * @param {Promise<any>} save
 */
export function waitForOwnSave(save) {
	ownSave = save.catch(() => {});
}

/**
 * Leave out the saves of the user up to this version.
 * @param {number} version
 */
export function leaveOutOwn(version) {
	ownVersion = version;
}

const oldest = () => Math.min(...[...followers].map(({ version }) => version));

/** @param {HTMLElement} page */
async function fetchChanges(page) {
	if (isFetching) return;
	isFetching = true;
	try {
		// A version that is saved during a request is reported only once.
		while (oldest() < newest) {
			const since = oldest();
			await ownSave;
			const response = await call("GET", `${page.dataset.changesUrl}?since=${since}`);
			await ownSave;
			for (const follower of followers) await showNew(follower, response);
			page.dataset.version = `${response.version}`;
			if (response.version <= since) break;
		}
	} catch (error) {
		if (!(error instanceof HttpError)) throw error;
	} finally {
		isFetching = false;
	}
}

/**
 * @param {Follower} follower
 * @param {Changes} response
 */
async function showNew(follower, response) {
	if (follower.version >= response.version) return;
	const fresh = response.changes.filter(({ version }) => version > follower.version);
	const changes = fresh.filter(({ version, by_id }) => version > ownVersion || by_id !== myId());
	// A save may change nothing that is shown, and the page's history still has it.
	if (changes.length || !fresh.length || response.truncated) await follower.show({ ...response, changes });
	follower.version = response.version;
}
