/**
 * Fetches what was saved since the page was made, when an event or a heartbeat reports a newer version.
 *
 * Reads:   data-changes-url and data-version of <presence-page>. It updates data-version.
 * Listens: `portal:saved`. If there is no response, the next heartbeat fires it again.
 *
 * @example onSaved(page, ({ changes }) => show(changes));
 */
import { on } from "../../lib/events.js";
import { call, HttpError } from "../../lib/http.js";

/** @typedef {import("./revisions.js").Revision} Revision */
/** @typedef {{version: number, changes: Revision[], truncated?: boolean}} Changes truncated: too many to send */

/**
 * Call `show` with the changes after each save.
 * @param {HTMLElement} page <presence-page>
 * @param {(changes: Changes) => any} show
 */
export function onSaved(page, show) {
	let isFetching = false;
	let newest = 0;
	const known = () => Number(page.dataset.version);
	on("saved", async ({ version }) => {
		newest = Math.max(newest, version);
		if (isFetching) return;
		isFetching = true;
		try {
			// A version that is saved during a request is reported only once.
			for (let before = 0; before < known() && known() < newest; ) {
				before = known();
				const changes = await call("GET", `${page.dataset.changesUrl}?since=${before}`);
				await show(changes);
				page.dataset.version = `${changes.version}`;
			}
		} catch (error) {
			if (!(error instanceof HttpError)) throw error;
		} finally {
			isFetching = false;
		}
	});
}
