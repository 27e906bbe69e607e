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
	const takeBack = keepBelow(this, text);
	const module = await import("../clients/valuations/paste.js").catch(() => undefined);
	// The rows stay below if the server cannot be reached, or if the user has saved meanwhile: the save refuses them.
	if (module && !control.closest("[inert]") && takeBack()) module.paste(this, text, control);
}

/**
 * Put the rows below the grid until they are placed, so that none is lost on a slow line. Returns a function that takes
 * them from there; it returns false if the user has edited them.
 * @param {HTMLFormElement} form
 * @param {string} text
 */
function keepBelow(form, text) {
	const part = query(form, "[data-unplaced]", HTMLElement);
	const rest = query(part, "textarea", HTMLTextAreaElement);
	const rows = text.trim().replace(/\r\n?/g, "\n");
	const show = (/** @type {string[]} */ lines) => {
		rest.value = lines.filter(Boolean).join("\n");
		part.hidden = !rest.value;
		rest.dispatchEvent(new Event("input", { bubbles: true }));
	};
	show([rest.value, rows]);
	return () => {
		const start = rest.value.lastIndexOf(rows);
		if (start < 0) return false;
		const after = rest.value.slice(start + rows.length).replace(/^\n/, "");
		show([rest.value.slice(0, start).replace(/\n$/, ""), after]);
		return true;
	};
}
