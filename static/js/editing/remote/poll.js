// @ts-check
/**
 * What has been saved since the page was made, fetched as soon as an event or a beat tells of it.
 *
 * Reads:  data-changes-url and data-version of <presence-page>; moves the latter on.
 * Hears:  `portal:saved` {version}. An answer that does not come is asked for again at the next beat.
 */
import { on } from "../../lib/events.js";
import { call, HttpError } from "../../lib/http.js";

/**
 * @param {HTMLElement} page <presence-page>
 * @param {(answer: {version: number, changes: import("./revisions.js").Revision[], truncated?: boolean}) => any} show
 */
export function onSaved(page, show) {
	let isAsking = false;
	let told = 0;
	const known = () => Number(page.dataset.version);
	on("saved", async ({ version }) => {
		told = Math.max(told, version);
		if (isAsking) return;
		isAsking = true;
		try {
			// One more that is saved meanwhile is told only once.
			for (let before = 0; before < known() && known() < told; ) {
				before = known();
				const answer = await call("GET", `${page.dataset.changesUrl}?since=${before}`);
				await show(answer);
				page.dataset.version = `${answer.version}`;
			}
		} catch (error) {
			if (!(error instanceof HttpError)) throw error;
		} finally {
			isAsking = false;
		}
	});
}
