import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addUnplaced, hasNames, parseTable, place } from "../../../static/js/clients/valuations/pasted.js";

/** @param {string} planNumber @param {string} productName */
const target = (planNumber, productName) => ({
	name: `amount_${planNumber}`,
	planNumber,
	productName,
	label: `ISA ${planNumber}`,
});
const TARGETS = [target("A-0001", "Growth ISA"), target("A0002", "Bond"), target("55", "Bond")];
const [FIRST, SECOND, THIRD] = TARGETS.map(({ name }) => name);

/** @param {string} text @param {string} [start] */
function placed(text, start = FIRST) {
	const { amounts, unplaced, heading } = place(parseTable(text), TARGETS, start);
	return { amounts: Object.fromEntries(amounts), unplaced, heading };
}

describe("a copied table", () => {
	const cases = {
		"1\n2": [["1"], ["2"]],
		"1\r\n2\r\n": [["1"], ["2"]],
		"1\r2\r\r": [["1"], ["2"]],
		"a\t 1,000.50 \nb\t": [["a", "1,000.50"], ["b"]],
		"\t5": [["", "5"]],
		"1\n\n3": [["1"], [""], ["3"]],
		'"Two\nlines ""A"""\t5': [['Two lines "A"', "5"]],
		'"Best" ISA\t5\n"open\t6': [
			['"Best" ISA', "5"],
			['"open', "6"],
		],
		"\u00a0£\u00a05.00\u00a0": [["£ 5.00"]],
		"": [],
		"\r\n\t\r\n": [],
	};
	for (const [text, rows] of Object.entries(cases))
		test(`${JSON.stringify(text)} has ${rows.length} rows`, () => assert.deepEqual(parseTable(text), rows));

	test("of many quotes is read in linear time", () => {
		const text = '"'.repeat(100_000);
		assert.equal(parseTable(text).length, 1);
	});
});

describe("a column of amounts", () => {
	test("fills the fields in their order, as users read them", () =>
		assert.deepEqual(placed("£1,234.5\r\n200\r\n 3 \r\n").amounts, {
			[FIRST]: "1,234.50",
			[SECOND]: "200.00",
			[THIRD]: "3.00",
		}));
	test("begins where it is pasted, and the rows beyond the last field are kept", () =>
		assert.deepEqual(placed("1\n2\n3\n\n", SECOND), {
			amounts: { [SECOND]: "1.00", [THIRD]: "2.00" },
			unplaced: ["3"],
			heading: "",
		}));
	test("leaves out a field whose cell is empty", () =>
		assert.deepEqual(placed("1\n\n3").amounts, { [FIRST]: "1.00", [THIRD]: "3.00" }));
	test("keeps text that is no amount, for the user to correct", () =>
		assert.deepEqual(placed("n/a\n#REF!\n1,5").amounts, {
			[FIRST]: "n/a",
			[SECOND]: "#REF!",
			[THIRD]: "1,5",
		}));
	test("may have a heading", () =>
		assert.deepEqual(placed("Value (£)\n7"), {
			amounts: { [FIRST]: "7.00" },
			unplaced: [],
			heading: "Value (£)",
		}));
	test("may have empty columns beside it", () =>
		assert.deepEqual(placed("\t1\t\n\t2\t").amounts, { [FIRST]: "1.00", [SECOND]: "2.00" }));
});

describe("rows with a product and an amount", () => {
	test("are placed by plan number, in any case and order", () =>
		assert.deepEqual(placed("a0002\t£2\r\nA 0001\t1\r\n55\t3", THIRD).amounts, {
			[SECOND]: "2.00",
			[FIRST]: "1.00",
			[THIRD]: "3.00",
		}));
	test("are placed by a name that only one product has", () =>
		assert.deepEqual(placed("growth isa\t1\nBond\t2"), {
			amounts: { [FIRST]: "1.00" },
			unplaced: ["Bond\t2"],
			heading: "",
		}));
	test("may have the amount first, and further columns", () =>
		assert.deepEqual(placed("Value\tProvider\tPlan\n10\tAviva\tA0001\n20\tAviva\tISA A0002"), {
			amounts: { [FIRST]: "10.00", [SECOND]: "20.00" },
			unplaced: [],
			heading: "Value, Provider, Plan",
		}));
	test("keep those of unknown products, of a product named twice, and a total", () =>
		assert.deepEqual(placed("A0001\t1\nB9\t2\nA-0001\t3\nTotal\t6"), {
			amounts: { [FIRST]: "1.00" },
			unplaced: ["B9\t2", "A-0001\t3", "Total\t6"],
			heading: "",
		}));
	test("change nothing where the amount is empty", () =>
		assert.deepEqual(placed("A0001\t\nA0002\t2").amounts, { [SECOND]: "2.00" }));
	test("without any known product are all kept", () =>
		assert.deepEqual(placed("x\t1\ny\t2").unplaced, ["x\t1", "y\t2"]));
});

describe("rows without a place", () => {
	test("are placed again if a row has a product beside its amount", () =>
		assert.ok(hasNames(parseTable("A0001\t1\n\t6"))));
	test("are not placed again if they are amounts alone, which would fill the fields of other products", () => {
		for (const text of ["6", "\t6", "6\t\n7\t", ""]) assert.equal(hasNames(parseTable(text)), false);
	});
	test("are added once when they are pasted once more, and all of them when they are equal", () =>
		assert.equal(addUnplaced("B9\t5\n7", ["B9\t5", "8", "8"]), "B9\t5\n7\n8\n8"));
	test("are all kept if there are none yet", () => assert.equal(addUnplaced("", ["8", "8"]), "8\n8"));
});
