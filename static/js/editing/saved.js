// @ts-check
/**
 * What has been saved since the page was made, fetched as soon as a beat tells of it.
 *
 * Reads:  data-changes-url and data-version of <presence-page>; moves the latter on.
 * Hears:  `presence:saved`. An answer that does not come is asked for again at the next beat.
 */
import { on } from "../events.js";
import { call, HttpError } from "../http.js";

/**
 * @param {HTMLElement} page <presence-page>
 * @param {(answer: {version: number, changes: import("./elsewhere.js").Revision[], truncated?: boolean}) => any} show
 */
export function onSaved(page, show) {
	let isAsking = false;
	on("saved", async () => {
		if (isAsking) return;
		isAsking = true;
		try {
			const answer = await call("GET", `${page.dataset.changesUrl}?since=${page.dataset.version}`);
			await show(answer);
			page.dataset.version = `${answer.version}`;
		} catch (error) {
			if (!(error instanceof HttpError)) throw error;
		} finally {
			isAsking = false;
		}
	});
}
