// @ts-check
/**
 * The question of Cancel where something is typed: keep it as a draft, discard it, or go on. Markup: editing/_leaving.html.
 * form.js brings it.
 */

/**
 * @param {HTMLAnchorElement} link where Cancel leads
 * @param {string} count "2 fields changed"
 * @param {{keep: () => Promise<any>, discard: () => Promise<any>}} ways each rejects where the portal cannot be reached
 */
export function askBeforeLeaving(link, count, ways) {
	const template = /** @type {HTMLTemplateElement} */ (document.querySelector("[data-leaving]"));
	const dialog = /** @type {HTMLDialogElement} */ (
		document.importNode(template.content, true).firstElementChild
	);
	dialog.querySelector("[data-count]").textContent = `${count}.`;
	dialog.addEventListener("close", () => {
		dialog.remove();
		link.focus();
	});
	dialog.addEventListener("submit", async (event) => {
		const { value } = /** @type {HTMLButtonElement} */ (event.submitter);
		if (!value) return;
		event.preventDefault();
		try {
			await ways[value]();
			location.assign(link.href);
		} catch {
			/** @type {HTMLElement} */ (dialog.querySelector(".failure")).hidden = false;
		}
	});
	document.body.append(dialog);
	dialog.showModal();
}
