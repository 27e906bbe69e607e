/**
 * The script of the page with the grid of valuations. Until the user or another one begins to use the grid, the page needs
 * neither its module nor that of editors. What pastes rows is loaded with the first paste.
 *
 * Reads: [data-paste-hint], shown with scripts only; [data-unplaced], with the rows that belong to no product.
 */
import { controlsOf } from "../editing/controls.js";
import { query, queryAll } from "../lib/dom.js";
import { loadOn, once } from "../lib/lazy.js";

loadOn(["saved"], () => import("../clients/update-notice.js"));
for (const form of queryAll(document, "form[data-valuation-grid]", HTMLFormElement)) {
	let isOpen = false;
	const open = once(async () => {
		await import("../clients/valuations/grid.js");
		isOpen = true;
	});
	const tryToOpen = () => open().catch(() => {}); // the server cannot be reached: the next key tries again
	for (const type of ["focusin", "input", "pointerover"]) form.addEventListener(type, tryToOpen);
	loadOn(["roster"], open, ({ others }) => !isOpen && others.length > 0);
	loadOn(["saved", "locate", "drafts", "finish"], open, () => !isOpen);
	const isTyped = () =>
		controlsOf(form).some((control) => "defaultValue" in control && control.value !== control.defaultValue);
	const openIfUsed = () =>
		("unsaved" in form.dataset || form.matches(":focus-within") || isTyped()) && tryToOpen();
	window.addEventListener("pageshow", openIfUsed); // the browser may have put back what was typed
	openIfUsed();
	query(form, "[data-paste-hint]", HTMLElement).hidden = false;
	form.addEventListener("paste", pasteRows);
}

/**
 * Paste several cells into the grid. A single one is pasted by the browser.
 * @this {HTMLFormElement}
 * @param {ClipboardEvent} event
 */
async function pasteRows(event) {
	const control = event.target;
	const text = event.clipboardData?.getData("text/plain") ?? "";
	if (!(control instanceof HTMLInputElement && "amount" in control.dataset)) return;
	if (!/[\t\r\n]/.test(text.trim())) return;
	event.preventDefault();
	const { paste } = await import("../clients/valuations/paste.js").catch(() => ({ paste: keepForLater }));
	paste(this, text, control);
}

/**
 * Put the rows below the grid, so that none is lost: the server cannot be reached.
 * @param {HTMLFormElement} form
 * @param {string} text
 */
function keepForLater(form, text) {
	const rest = query(form, "[data-unplaced] textarea", HTMLTextAreaElement);
	rest.value = [rest.value, text.trim()].filter(Boolean).join("\n");
	query(form, "[data-unplaced]", HTMLElement).hidden = false;
	rest.dispatchEvent(new Event("input", { bubbles: true }));
}
