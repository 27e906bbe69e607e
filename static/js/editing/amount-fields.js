/**
 * An amount that the user types. It is formatted when the user leaves the control, so that another digit stands out. While
 * it is changed, the hint also says which amount is saved.
 *
 * Reads: data-amount on the control, and its hint if there is one.
 *
 * @example <span class="amount"><span>£</span><input id="fee" data-amount aria-describedby="fee-hint"></span>
 */
import { setText } from "../lib/dom.js";
import { amountHint, formatAmount } from "./amounts.js";

const enhanced = new WeakSet();

/**
 * Enhance a control. A second call does nothing.
 * @param {HTMLInputElement} control
 */
export function enhanceAmountField(control) {
	if (enhanced.has(control)) return;
	enhanced.add(control);
	const hint = document.getElementById(`${control.id}-hint`);
	const instruction = hint?.textContent ?? "";
	const drawHint = () => {
		if (hint)
			setText(
				hint,
				amountHint(instruction, control.value === control.defaultValue ? "" : control.defaultValue),
			);
	};
	control.addEventListener("input", drawHint);
	const format = () => {
		const formatted = formatAmount(control.value);
		if (formatted === control.value) return;
		control.value = formatted;
		control.dispatchEvent(new Event("input", { bubbles: true }));
	};
	control.addEventListener("change", format);
	drawHint();
	// The user may have typed, and left the control, before this module was loaded.
	if (control.value !== control.defaultValue && control !== document.activeElement) format();
}
