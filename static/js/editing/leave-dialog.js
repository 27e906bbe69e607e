/**
 * The dialog of Cancel when the user has changed something: keep the changes as a draft, discard them, or go on.
 * form.js imports this module.
 *
 * Reads:  [data-leaving], a template. Markup: templates/editing/_leaving.html.
 *
 * @example askBeforeLeaving(link, "2 fields changed", draft, () => location.assign(link.href));
 */
import { query, startAtTop } from "../lib/dom.js";

/**
 * Open the dialog.
 * @param {HTMLAnchorElement} link of Cancel
 * @param {string} count "2 fields changed"
 * @param {{keep: () => Promise<any>, discard: () => Promise<any>}} draft each rejects if the server cannot be reached
 * @param {() => void} leave
 */
export function askBeforeLeaving(link, count, draft, leave) {
	const template = query(document, "[data-leaving]", HTMLTemplateElement);
	const dialog = query(document.importNode(template.content, true), "dialog", HTMLDialogElement);
	query(dialog, "[data-count]", HTMLElement).textContent = `${count}.`;
	dialog.addEventListener("close", () => {
		dialog.remove();
		link.focus();
	});
	dialog.addEventListener("submit", async (event) => {
		const { value } = /** @type {HTMLButtonElement} */ (event.submitter);
		if (value !== "keep" && value !== "discard") return;
		event.preventDefault();
		try {
			await draft[value]();
			dialog.close();
			leave();
		} catch {
			query(dialog, "[role=alert]", HTMLElement).hidden = false;
		}
	});
	document.body.append(dialog);
	dialog.showModal();
	startAtTop(dialog);
}
