/** Sums of amounts, in whole pence: a float would not be exact. The functions are pure. */
import { plainAmount } from "../../editing/amounts.js";

const AMOUNT = /^(-?)(\d{1,12})(?:\.(\d{1,2}))?$/;

/**
 * Return 123450n for "£1,234.50"; null for a text that is no amount.
 * @param {string} text
 */
export function pence(text) {
	const [, minus, pounds, part = ""] = AMOUNT.exec(plainAmount(text)) ?? [];
	if (!pounds) return null;
	const amount = BigInt(pounds) * 100n + BigInt(part.padEnd(2, "0"));
	return minus ? -amount : amount;
}

/**
 * Return "£1,234.50" for 123450n, as portal/formatting.py does.
 * @param {bigint} amount
 */
export function gbp(amount) {
	const digits = `${amount < 0n ? -amount : amount}`.padStart(3, "0");
	const pounds = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
	return `${amount < 0n ? "−" : ""}£${pounds}.${digits.slice(-2)}`;
}

/**
 * Return a difference with its sign: "+£1.00".
 * @param {bigint} amount
 */
export const gbpChange = (amount) => `${amount > 0n ? "+" : ""}${gbp(amount)}`;

/**
 * Whether a field has text that is no amount.
 * @param {string} text
 */
export const isWrong = (text) => text.trim() !== "" && pence(text) === null;

/**
 * Sum the amounts of the grid.
 * @param {{typed: string, before: string, kept: string}[]} rows before: the value before the day; kept: the value that a
 *   row without an amount keeps
 */
export function totalsOf(rows) {
	const amounts = rows.map(({ typed, before, kept }) => ({
		typed: pence(typed),
		before: pence(before) ?? 0n,
		kept: pence(kept) ?? 0n,
	}));
	const entered = amounts.filter(({ typed }) => typed !== null);
	return {
		entered: entered.length,
		enteredPence: entered.reduce((sum, { typed }) => sum + (typed ?? 0n), 0n),
		beforePence: amounts.reduce((sum, { before }) => sum + before, 0n),
		afterPence: amounts.reduce((sum, { typed, kept }) => sum + (typed ?? kept), 0n),
	};
}
