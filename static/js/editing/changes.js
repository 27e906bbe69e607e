// @ts-check
/**
 * What has been changed in a form, without the DOM. Compared with what the page came with (defaultValue and its kin), not
 * with a snapshot: a browser that restores typed values after a reload does so at its own time.
 */

/**
 * @param {{type: string, value?: string, defaultValue?: string, checked?: boolean, defaultChecked?: boolean,
 *   options?: ArrayLike<{selected: boolean, defaultSelected: boolean}>}} control
 */
export function isChanged({ type, value = "", defaultValue = "", checked, defaultChecked, options }) {
	if (options) return isSelectionChanged(Array.from(options));
	if (type === "checkbox" || type === "radio") return checked !== defaultChecked;
	return newlines(value) !== newlines(defaultValue);
}

/** As the server counts them. @param {string} text */
export const characters = (text) => [...newlines(text).trim()].length;

/** @param {{value?: string, dataset: Record<string, string|undefined>}} control */
export function isTooLong({ value = "", dataset }) {
	const most = Number(dataset.maxCharacters);
	return value.length > most && characters(value) > most;
}

/** For the save bar. @param {number} count of fields */
export function fieldsChanged(count) {
	return count ? `${count} field${count === 1 ? "" : "s"} changed` : "No changes yet";
}

const LONGEST_NAME = 100;

/**
 * What others are told of a field, as beats may say it: of a part of the record with the part's own name before it, since
 * everybody on the page hears of it, whichever part they edit.
 * @param {string} label
 * @param {string} [entryLabel] "ISA A0001"
 */
export function reportedName(label, entryLabel) {
	const name = entryLabel ? `${entryLabel}: ${fieldName(label)}` : fieldName(label);
	return [...name.replace(/[\p{C}\p{Z}]+/gu, " ")].slice(0, LONGEST_NAME).join("").trim();
}

/** "Phone" for "Phone *". @param {string} label */
export const fieldName = (label) => label.replace(/[\s:*]+$/, "").trim();

function isSelectionChanged(options) {
	const wasChosen = options.some((option) => option.defaultSelected);
	// A drop-down without a chosen option shows its first one.
	return options.some((option, i) => option.selected !== (wasChosen ? option.defaultSelected : i === 0));
}

const newlines = (text) => text.replace(/\r\n?/g, "\n");
