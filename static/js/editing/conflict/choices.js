/**
 * The choices of the conflict page. A click beside an option's control, or typing in it, chooses the option. Buttons
 * choose one answer for all fields.
 *
 * Reads:  `.option` with its radio button, one of them with a control for another value; [data-choose-all] with
 *         buttons, whose values are the answers.
 * Markup: templates/clients/editor/conflict.html.
 *
 * @example <div class="option"><input type="radio" value="third"><input name="third-phone"></div>
 */
import { queryAll } from "../../lib/dom.js";
import { isChanged } from "../changes.js";

/** @typedef {import("../controls.js").Control} Control */

for (const option of queryAll(document, ".option:not(label)", HTMLElement)) {
	const [radio, ...typed] = /** @type {[HTMLInputElement, ...Control[]]} */ ([
		...option.querySelectorAll("input, select, textarea"),
	]);
	const choose = () => {
		if (radio.checked) return;
		radio.checked = true;
		radio.dispatchEvent(new Event("input", { bubbles: true }));
	};
	for (const type of ["input", "click"])
		option.addEventListener(type, ({ target }) => target !== radio && choose());
	// The user may have typed before this module was loaded.
	if (typed.some(isChanged) && !option.closest("fieldset")?.querySelector("input:checked")) choose();
}

for (const row of queryAll(document, "[data-choose-all]", HTMLElement)) {
	row.removeAttribute("hidden");
	row.addEventListener("click", ({ target }) => {
		if (!(target instanceof HTMLButtonElement) || !target.form) return;
		const { form, value } = target;
		for (const radio of queryAll(form, `.option [type="radio"][value="${value}"]`, HTMLInputElement))
			radio.checked = true;
		form.dispatchEvent(new Event("input", { bubbles: true }));
	});
}
