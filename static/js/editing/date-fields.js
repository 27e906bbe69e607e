/**
 * A date that the user types. In place of the hint below the field, the page shows the date that it has read, with its
 * weekday. A button opens a calendar.
 *
 * Reads:  data-day on the control, and its hint if there is one.
 * Markup: templates/editing/_day_picker.html.
 *
 * @example <input id="birth_date" data-day aria-describedby="birth_date-hint"><p class="hint" id="birth_date-hint">…</p>
 */
import { createElement, query, setText } from "../lib/dom.js";
import { parseDate, formatLongDate, formatDate } from "./dates.js";

const enhanced = new WeakSet();

/**
 * Enhance a control. A second call does nothing.
 * @param {HTMLInputElement} control
 */
export function enhanceDateField(control) {
	if (enhanced.has(control)) return;
	enhanced.add(control);
	followTyping(control);
	addCalendar(control);
}

/** @param {HTMLInputElement} control */
function followTyping(control) {
	const hint = document.getElementById(`${control.id}-hint`) ?? addHint(control);
	const instruction = hint.textContent ?? "";
	hint.setAttribute("aria-live", "polite");
	const show = (/** @type {boolean} */ isFinished) => {
		const isWrong = isFinished && control.value.trim();
		setText(
			hint,
			formatLongDate(parseDate(control.value)) || (isWrong ? `Not a date. ${instruction}` : instruction),
		);
	};
	// The user may have typed before this module was loaded.
	if (control.value !== control.defaultValue) show(control !== document.activeElement);
	control.addEventListener("input", () => show(false));
	control.addEventListener("change", () => show(true));
}

/** @param {HTMLInputElement} control */
function addHint(control) {
	const hint = createElement("p", { className: "hint" });
	control.parentElement?.after(hint);
	return hint;
}

/** @param {HTMLInputElement} control */
function addCalendar(control) {
	const template = query(document, "[data-day-picker]", HTMLTemplateElement);
	const parts = document.importNode(template.content, true);
	const picker = query(parts, "input", HTMLInputElement);
	const button = query(parts, "button", HTMLButtonElement);
	button.ariaLabel = `Choose ${control.labels?.[0]?.textContent.trim() ?? control.ariaLabel} from a calendar`;
	button.addEventListener("click", () => {
		picker.value = parseDate(control.value);
		picker.showPicker();
	});
	picker.addEventListener("input", () => {
		control.value = formatDate(picker.value);
		control.dispatchEvent(new Event("input", { bubbles: true }));
	});
	// The picker is no field of the form: its events would count as changes.
	for (const type of ["input", "change"]) picker.addEventListener(type, (event) => event.stopPropagation());
	picker.addEventListener("change", () => control.focus());
	control.after(parts);
}
