/**
 * Adds to the draft what the user types as custom values on the conflict page.
 *
 * Reads:  controls `third-phone` in `.option`, the choices `decide-phone`, and `seen_version` of the form.
 * Markup: templates/clients/editor/conflict.html.
 *
 * @example <div class="option"><input type="radio" name="decide-phone" value="third"><input name="third-phone"></div>
 */
import { isChanged } from "../changes.js";
import { controlNamed, controlsOf } from "../controls.js";
import { valueSources } from "../drafts/form-draft.js";
import { formatSeen, parseSeen } from "../seen.js";

valueSources.push(customValues);

/**
 * Return the custom values, and the versions of the values that the page shows.
 *
 * A custom value that is chosen becomes the field's value, and the one typed in the editor is set aside. A custom value
 * that is not chosen is set aside.
 *
 * @param {HTMLFormElement} form
 * @param {string} seen
 * @param {Record<string, string>} [typed] in the editor
 */
function customValues(form, seen, typed = {}) {
	/** @type {Record<string, string>} */
	const values = {};
	const versions = parseSeen(seen);
	for (const control of controlsOf(form).filter((each) => each.matches('.option [name^="third-"]'))) {
		const name = control.name.slice("third-".length);
		if (controlNamed(form, `decide-${name}`)?.value === "third") {
			values[name] = control.value;
			versions.set(name, Number(controlNamed(form, "seen_version")?.value));
			if (name in typed) values[`aside-${name}`] = typed[name];
		} else if (isChanged(control)) values[`aside-${name}`] = control.value;
	}
	return { values, seen: formatSeen(versions) };
}
