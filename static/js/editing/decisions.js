// @ts-check
/**
 * The conflict page: typing something else, or a click beside it, chooses it; one answer may be chosen in all fields at once.
 *
 * Reads:  `.option` with its radio button, one of them with a control for something else; [data-choose-all] with buttons,
 *         whose value is the answer.
 */
import { isChanged } from "./changes.js";

for (const option of document.querySelectorAll(".option:not(label)")) {
	const [radio, ...typed] = option.querySelectorAll("input, select, textarea");
	const choose = () => {
		if (radio.checked) return;
		radio.checked = true;
		radio.dispatchEvent(new Event("input", { bubbles: true }));
	};
	for (const type of ["input", "click"])
		option.addEventListener(type, ({ target }) => target !== radio && choose());
	// It may have been typed before this script was there.
	if (typed.some(isChanged) && !option.closest("fieldset").querySelector("input:checked")) choose();
}

for (const row of document.querySelectorAll("[data-choose-all]")) {
	row.removeAttribute("hidden");
	row.addEventListener("click", ({ target }) => {
		const { form, value } = /** @type {HTMLButtonElement} */ (target);
		if (!form) return;
		for (const radio of form.querySelectorAll(`.option [type="radio"][value="${value}"]`))
			radio.checked = true;
		form.dispatchEvent(new Event("input", { bubbles: true }));
	});
}
