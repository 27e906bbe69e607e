/**
 * Rows that the user has copied from a spreadsheet: reads them, and finds the product of each amount. The functions are
 * pure. A row without a place is never dropped: the caller shows it.
 */
import { formatAmount } from "../../editing/amounts.js";
import { pence } from "./totals.js";

/**
 * @typedef {Object} Target a field of the grid
 * @property {string} name of the control
 * @property {string} planNumber
 * @property {string} productName
 * @property {string} label "ISA A0001"
 */
/**
 * @typedef {Object} Placed
 * @property {Map<string, string>} amounts by the name of the control, as users read them; other text as it is
 * @property {string[]} unplaced the rows that belong to no product
 * @property {string} heading the row that was left out because it names the columns; "" for none
 */

export const MAX_ROWS = 1000;
// A cell, quoted if it contains a line break, and what follows it. Other quotes belong to the text.
const CELL = /(?:"((?:[^"]|"")*)"|([^\t\r\n]*))(\t|\r\n|\r|\n|$)/y;
const HEADING = /^[^\d]*(amount|valuation|value|balance|total|gbp|£)[^\d]*$/i;

/**
 * Return the cells of each row, without empty rows at the end.
 * @param {string} text as a spreadsheet copies it: cells separated by tabs, rows by line breaks
 */
export function parseTable(text) {
	/** @type {string[][]} */
	const rows = [[]];
	CELL.lastIndex = 0;
	while (CELL.lastIndex < text.length) {
		const [, quoted, plain, end] = CELL.exec(text) ?? [];
		rows.at(-1)?.push((quoted?.replaceAll('""', '"') ?? plain).replace(/\s+/g, " ").trim());
		if (end !== "\t") rows.push([]);
	}
	while (rows.length && !rows.at(-1)?.some(Boolean)) rows.pop();
	return rows;
}

/**
 * Find the product of each amount. A single column fills the fields from `start` on, in their order. Otherwise a column
 * names the product, by plan number or by a name that only one product has.
 * @param {string[][]} table
 * @param {Target[]} targets in the order of the grid
 * @param {string} start name of the control into which the user has pasted
 * @returns {Placed}
 */
export function place(table, targets, start) {
	const columns = [...Array(Math.max(0, ...table.map((row) => row.length))).keys()];
	const used = columns.filter((column) => table.some((row) => row[column]));
	const rows = table.map((row) => used.map((column) => row[column] ?? ""));
	return used.length < 2 ? placeColumn(rows, targets, start) : placeRows(rows, targets);
}

/**
 * Whether a row has a product beside its amount. Amounts alone would fill the fields from the first one on.
 * @param {string[][]} table
 */
export const hasNames = (table) => table.some((row) => row.filter(Boolean).length > 1);

/**
 * Return the text of the rows without a place, with further ones. The user may paste the corrected rows once more.
 * @param {string} before
 * @param {string[]} unplaced
 */
export function addUnplaced(before, unplaced) {
	const known = before.split("\n").filter(Boolean);
	return [...known, ...unplaced.filter((row) => !known.includes(row))].join("\n");
}

/**
 * @param {string[][]} rows of one cell
 * @param {Target[]} targets
 * @param {string} start
 * @returns {Placed}
 */
function placeColumn(rows, targets, start) {
	const [heading, cells] = withoutHeading(rows, ([text]) => HEADING.test(text));
	const free = targets.slice(targets.findIndex(({ name }) => name === start));
	const placed = cells.slice(0, free.length).map(([text], i) => /** @type {const} */ ([free[i].name, text]));
	const rest = cells.slice(free.length).map(([text]) => text);
	return { amounts: amountsOf(placed), unplaced: rest.filter(Boolean), heading };
}

/**
 * @param {string[][]} rows of several cells
 * @param {Target[]} targets
 * @returns {Placed}
 */
function placeRows(rows, targets) {
	const named = finderOf(targets);
	const columns = [...rows[0].keys()];
	const count = (/** @type {number} */ column, /** @type {(text: string) => any} */ test) =>
		rows.filter((row) => test(row[column])).length;
	const key = best(columns, (column) => count(column, named));
	const others = columns.filter((column) => column !== key);
	const amount = best(others.toReversed(), (column) => count(column, (text) => pence(text) !== null));
	const [heading, body] = withoutHeading(rows, (row) => !named(row[key]) && HEADING.test(row[amount]));
	/** @type {Map<string, string>} */
	const found = new Map();
	/** @type {string[]} */
	const unplaced = [];
	for (const row of body) {
		const target = named(row[key]);
		if (target && !found.has(target.name)) found.set(target.name, row[amount]);
		else if (row.some(Boolean)) unplaced.push(row.join("\t"));
	}
	return { amounts: amountsOf([...found]), unplaced, heading };
}

/**
 * Return a function that finds the target which a cell names. A plan number comes first, and a name that two products
 * have names none.
 * @param {Target[]} targets
 * @returns {(cell: string) => Target|undefined}
 */
function finderOf(targets) {
	const indexes = [
		indexOf(targets, ({ planNumber }) => planNumber),
		indexOf(targets, ({ label }) => label),
		indexOf(targets, ({ productName }) => productName),
	];
	return (cell) => {
		const key = simplified(cell);
		const matches = key ? indexes.map((index) => index.get(key)).find(Boolean) : undefined;
		return matches?.length === 1 ? matches[0] : undefined;
	};
}

/**
 * @param {Target[]} targets
 * @param {(target: Target) => string} textOf
 */
function indexOf(targets, textOf) {
	/** @type {Map<string, Target[]>} */
	const index = new Map();
	for (const target of targets) {
		const key = simplified(textOf(target));
		index.set(key, [...(index.get(key) ?? []), target]);
	}
	return index;
}

/**
 * Return letters and digits alone: "a-0001" is the plan number A0001.
 * @param {string} text
 */
const simplified = (text) => text.replace(/[^\p{L}\p{N}]/gu, "").toLowerCase();

/**
 * @param {number[]} columns
 * @param {(column: number) => number} score
 */
const best = (columns, score) => columns.reduce((one, other) => (score(other) > score(one) ? other : one));

/**
 * @param {string[][]} rows
 * @param {(row: string[]) => boolean} isHeading
 * @returns {[string, string[][]]}
 */
function withoutHeading(rows, isHeading) {
	const [first, ...rest] = rows;
	return first && isHeading(first) ? [first.filter(Boolean).join(", "), rest] : ["", rows];
}

/** @param {(readonly [string, string])[]} cells */
const amountsOf = (cells) =>
	new Map(cells.filter(([, text]) => text).map(([name, text]) => [name, formatAmount(text)]));
