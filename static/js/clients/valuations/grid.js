/**
 * The grid of valuations: an editor with totals, another day, and keys as in a spreadsheet. It is loaded when the user
 * begins to use the grid (entry/valuation-grid.js), or when other users do.
 *
 * Reads: [data-before], the values before the day, with data-kept, those that rows without an amount keep; [data-entered],
 *        [data-entered-gbp], [data-wrong], [data-before-gbp], [data-after-gbp] and [data-change-gbp] below them;
 *        `shown_on` and `valued_on`.
 */
import { gbp, gbpChange, isWrong, totalsOf } from "./totals.js";
import { parseDate } from "../../editing/dates.js";
import { query, queryAll, setText } from "../../lib/dom.js";
import "../../entry/editor.js";

const AMOUNTS = "tbody [data-amount]";

for (const form of queryAll(document, "form[data-valuation-grid]", HTMLFormElement)) {
	const rows = queryAll(form, "tbody", HTMLElement)[0];
	const drawTotals = () => {
		const values = queryAll(rows, "[data-before]", HTMLElement).map(({ dataset }) => dataset);
		const controls = queryAll(rows, "[data-amount]", HTMLInputElement);
		const totals = totalsOf(
			controls.map(({ value }, i) => {
				const { before = "", kept = "" } = values[i];
				return { typed: value, before, kept };
			}),
		);
		const show = (/** @type {string} */ name, /** @type {string} */ text) =>
			setText(query(form, `tfoot [data-${name}]`, HTMLElement), text);
		show("entered", `${totals.entered}`);
		show("entered-gbp", gbp(totals.enteredPence));
		show("before-gbp", gbp(totals.beforePence));
		show("after-gbp", gbp(totals.afterPence));
		show("change-gbp", gbpChange(totals.afterPence - totals.beforePence));
		const wrong = controls.filter((control) => showWrong(control)).length;
		show("wrong", wrong ? `${wrong} ${wrong === 1 ? "is not an amount" : "are not amounts"}` : "");
	};
	for (const type of ["input", "focusout"]) form.addEventListener(type, drawTotals);
	drawTotals(); // the user may have typed before this module was loaded
	new MutationObserver(drawTotals).observe(rows, {
		subtree: true,
		attributeFilter: ["data-before", "data-kept"],
	});
	followDay(form);
	followPlaceAgain(form);
	form.addEventListener("keydown", moveByKey);
}

/**
 * Mark a field with text that is no amount, and return whether it has. Half an amount is none, so the field with
 * the focus waits until the user leaves it.
 * @param {HTMLInputElement} control
 */
function showWrong(control) {
	const wrong = control !== document.activeElement && isWrong(control.value);
	control.closest(".field")?.classList.toggle("is-no-amount", wrong);
	// An error of the server stays until the next save.
	control.ariaInvalid = wrong || control.closest(".has-error") ? "true" : null;
	return wrong;
}

/**
 * Lead to the grid of another day when the user has chosen one. The server takes what is typed along.
 * @param {HTMLFormElement} form
 */
function followDay(form) {
	const day = query(form, "[name=valued_on]", HTMLInputElement);
	const shownOn = query(form, "[name=shown_on]", HTMLInputElement).value;
	const go = () => {
		const chosen = parseDate(day.value);
		if (chosen && chosen !== shownOn) form.requestSubmit();
	};
	day.addEventListener("change", go);
	// The user may have chosen another day before this module was loaded.
	if (!("unsaved" in form.dataset) && day !== document.activeElement) go();
}

/** @param {HTMLFormElement} form */
function followPlaceAgain(form) {
	const again = query(form, "[data-place-again]", HTMLElement);
	again.hidden = false;
	again.addEventListener("click", async () => {
		// The server cannot be reached: another click tries again.
		const module = await import("./paste.js").catch(() => undefined);
		module?.placeAgain(form);
	});
}

/**
 * Enter and the arrow keys lead to the amount below or above. Enter sends no half-filled grid.
 * @param {KeyboardEvent} event
 */
function moveByKey(event) {
	const { target, key, ctrlKey, metaKey, altKey, isComposing } = event;
	if (!(target instanceof HTMLInputElement && target.matches(AMOUNTS)) || isComposing) return;
	if (ctrlKey || metaKey || altKey || !["Enter", "ArrowDown", "ArrowUp"].includes(key)) return;
	event.preventDefault();
	const controls = queryAll(/** @type {HTMLFormElement} */ (target.form), AMOUNTS, HTMLInputElement);
	const next = controls[controls.indexOf(target) + (key === "ArrowUp" ? -1 : 1)];
	next?.focus();
	next?.select();
	if (!next && key === "Enter") target.dispatchEvent(new Event("change", { bubbles: true }));
}
