// @ts-check
/**
 * A day that is typed: which day was read, with its weekday, in place of the hint below it; and a calendar to choose from.
 * Markup: the day's control with data-day, its hint where it has one, and templates/editing/_day_picker.html.
 */
import { make, write } from "../lib/dom.js";
import { dayOf, spoken, written } from "./dates.js";

const dressed = new WeakSet();

/** @param {HTMLInputElement} control with data-day; a second call does nothing */
export function dressDay(control) {
	if (dressed.has(control)) return;
	dressed.add(control);
	followTyping(control);
	addCalendar(control);
}

function followTyping(control) {
	const place = control.parentElement;
	const known = document.getElementById(`${control.id}-hint`);
	const hint = known ?? place.parentElement.insertBefore(make("p", { className: "hint" }), place.nextSibling);
	const instruction = hint.textContent;
	hint.setAttribute("aria-live", "polite");
	const show = (isFinished) => {
		const isWrong = isFinished && control.value.trim();
		write(hint, spoken(dayOf(control.value)) || (isWrong ? `Not a date. ${instruction}` : instruction));
	};
	// It may have been typed before this module came.
	if (control.value !== control.defaultValue) show(control !== document.activeElement);
	control.addEventListener("input", () => show(false));
	control.addEventListener("change", () => show(true));
}

function addCalendar(control) {
	const template = /** @type {HTMLTemplateElement} */ (document.querySelector("[data-day-picker]"));
	const parts = document.importNode(template.content, true);
	const picker = parts.querySelector("input");
	const button = parts.querySelector("button");
	button.ariaLabel = `Choose ${control.labels?.[0]?.textContent.trim() ?? control.ariaLabel} from a calendar`;
	button.addEventListener("click", () => {
		picker.value = dayOf(control.value);
		picker.showPicker();
	});
	picker.addEventListener("input", () => {
		control.value = written(picker.value);
		control.dispatchEvent(new Event("input", { bubbles: true }));
	});
	// Its own value is nobody's change.
	for (const type of ["input", "change"]) picker.addEventListener(type, (event) => event.stopPropagation());
	picker.addEventListener("change", () => control.focus());
	control.after(parts);
}
