/**
 * Puts rows that the user has copied from a spreadsheet into the grid of valuations. It is loaded with the first paste.
 * Rows that belong to no product are added to the text below the grid, which the save refuses. One button undoes it.
 *
 * Reads: data-plan-number and data-name of the rows; [data-unplaced] with the text; [data-paste-result].
 *
 * @example paste(form, "A0001\t£1,234.50\r\n", form.elements.amount_12);
 */
import { createElement, query, queryAll } from "../../lib/dom.js";
import { addUnplaced, hasNames, MAX_ROWS, parseTable, place } from "./pasted.js";
import { isWrong } from "./totals.js";

const MAX_NAMES = 3;

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 * @param {HTMLInputElement} start into which the user has pasted
 */
export function paste(form, text, start) {
	const table = parseTable(text);
	if (table.length > MAX_ROWS)
		return report(form, `These are more than ${MAX_ROWS} rows: nothing is pasted.`);
	fill(form, table, start, unplacedOf(form).value);
}

/**
 * Place the rows below the grid again, which the user may have corrected.
 * @param {HTMLFormElement} form
 */
export function placeAgain(form) {
	const [start] = queryAll(form, "tbody [data-amount]", HTMLInputElement);
	const table = parseTable(unplacedOf(form).value);
	if (hasNames(table)) fill(form, table, start, "");
}

/**
 * @param {HTMLFormElement} form
 * @param {string[][]} table
 * @param {HTMLInputElement} start
 * @param {string} before the rows that are not placed already
 */
function fill(form, table, start, before) {
	const controls = new Map(
		queryAll(form, "tbody [data-amount]", HTMLInputElement).map((control) => [control.name, control]),
	);
	const { amounts, unplaced, heading } = place(table, [...controls.values()].map(targetOf), start.name);
	const rest = unplacedOf(form);
	const changed = [...amounts.keys()].flatMap((name) => controls.get(name) ?? []);
	const undo = [...changed, rest].map((control) => ({ control, before: control.value, pasted: "" }));
	for (const control of changed) control.value = amounts.get(control.name) ?? "";
	rest.value = addUnplaced(before, unplaced);
	for (const each of undo) each.pasted = each.control.value;
	showChange(form);
	const wrong = changed.filter(({ value }) => isWrong(value)).map((control) => targetOf(control).label);
	report(form, sentencesOf(changed.length, wrong, unplaced.length, heading), () => {
		const unchanged = undo.filter(({ control, pasted }) => control.value === pasted);
		for (const each of unchanged) each.control.value = each.before;
		showChange(form);
		start.focus();
		return unchanged.length === undo.length;
	});
}

/**
 * Return what a paste has done.
 * @param {number} count of amounts
 * @param {string[]} wrong the products whose text is no amount
 * @param {number} unplaced
 * @param {string} heading
 */
function sentencesOf(count, wrong, unplaced, heading) {
	const names = wrong.slice(0, MAX_NAMES).join(", ");
	const more = wrong.length > MAX_NAMES ? ` and ${wrong.length - MAX_NAMES} more` : "";
	return [
		`${count} ${count === 1 ? "amount is" : "amounts are"} pasted and not saved yet.`,
		heading && `The heading “${heading}” is left out.`,
		wrong.length && `Not an amount: ${names}${more}.`,
		unplaced &&
			`${unplaced} ${unplaced === 1 ? "row belongs" : "rows belong"} to no product: see below the table.`,
	]
		.filter(Boolean)
		.join(" ");
}

/** @param {HTMLInputElement} control */
function targetOf(control) {
	const { dataset } = /** @type {HTMLElement} */ (control.closest("tr"));
	const label = control.labels?.[0]?.textContent ?? "";
	return { name: control.name, planNumber: dataset.planNumber ?? "", productName: dataset.name ?? "", label };
}

/** @param {HTMLFormElement} form */
const unplacedOf = (form) => query(form, "[data-unplaced] textarea", HTMLTextAreaElement);

/**
 * Tell the form, its draft and the totals, once for all fields.
 * @param {HTMLFormElement} form
 */
function showChange(form) {
	const rest = unplacedOf(form);
	query(form, "[data-unplaced]", HTMLElement).hidden = !rest.value;
	rest.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 * @param {() => boolean} [undo] returns false if the user has changed some of it since, which stays
 */
function report(form, text, undo) {
	const result = query(form, "[data-paste-result]", HTMLElement);
	/** @type {HTMLElement[]} */
	const parts = [createElement("p", {}, text)];
	if (undo) {
		const button = createElement("button", { type: "button", className: "button small" }, "Undo");
		button.addEventListener("click", () => {
			report(form, `The paste is undone${undo() ? "" : ", except for what you have changed since"}.`);
		});
		parts.push(button);
	}
	result.replaceChildren(...parts);
}
