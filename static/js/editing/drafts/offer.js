/**
 * An offer to restore or discard a draft of an earlier opening of the editor. form-draft.js imports this module.
 *
 * Reads:  data-draft-offer, the URL that discards the draft; the offer's link and form.
 * Markup: templates/editing/_draft.html.
 *
 * @example <div data-draft-offer="…"><p>…</p><a href="?draft=…">Restore</a><form>…</form></div>
 */
import { query, queryAll, setText } from "../../lib/dom.js";
import { call } from "../../lib/http.js";
import { leaveAnswer, withProceeded } from "../../presence/sync/answered.js";
import { firstControl } from "../controls.js";

const NEWER_ELSEWHERE = "You have typed more since, in another tab. It is kept there.";

/**
 * Save what the user has typed before the link leaves the page, and discard the draft without leaving it.
 * @param {HTMLElement} offer
 * @param {HTMLFormElement} form the editor's
 * @param {{isKept: () => boolean, flush: () => Promise<any>}} draft what the user has typed since
 */
export function followOffer(offer, form, draft) {
	const link = query(offer, "a", HTMLAnchorElement);
	link.addEventListener("click", (event) => {
		const page = /** @type {HTMLElement|null} */ (document.querySelector("presence-page"));
		leaveAnswer(page?.dataset.page ?? ""); // the user edits already
		if (form.querySelector("[name=proceeded][value='1']")) link.href = withProceeded(link.href);
		if (draft.isKept()) return;
		event.preventDefault();
		draft.flush().then(() => location.assign(link.href));
	});
	query(offer, "form", HTMLFormElement).addEventListener("submit", (event) => {
		event.preventDefault();
		discard(offer, form);
	});
}

/**
 * @param {HTMLElement} offer
 * @param {HTMLFormElement} form
 */
async function discard(offer, form) {
	try {
		const { status } = await call("DELETE", offer.dataset.draftOffer ?? "");
		if (status === "discarded") offer.remove();
		else {
			setText(query(offer, "p", HTMLElement), NEWER_ELSEWHERE);
			for (const control of queryAll(offer, "a, form", HTMLElement)) control.remove();
		}
		firstControl(form, "")?.focus(); // the button that had it is gone
	} catch {
		// The offer stays, and with it the draft.
	}
}
