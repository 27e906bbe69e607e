/**
 * Changes the selected clients of the list, in steps: the server answers after a second with what became of each client
 * that it has tried, and the rest is sent again. What could not be changed is listed with the reason.
 *
 * Reads:  data-url and data-order-url of the form; data-key, data-version of the rows; data-total of their table.
 * Markup: templates/clients/listing/_bulk.html; a checkbox in each row and in the head.
 */
import { createElement, query, queryAll, setText, showOnly } from "../lib/dom.js";
import { on } from "../lib/events.js";
import { call, HttpError } from "../lib/http.js";

/** @typedef {{id: number, name: string, is_changed: boolean, reason: string}} Result */

const MAX_CLIENTS = 500;
const CLIENTS_A_STEP = 100; // progress is seen, and a lost response leaves few clients unknown

const form = query(document, "form[data-bulk]", HTMLFormElement);
const table = query(document, ".whole-rows", HTMLTableElement);
const body = query(table, "tbody", HTMLElement);
const head = query(table, "thead .pick input", HTMLInputElement);
const [progress] = queryAll(form, "progress", HTMLProgressElement);
const result = query(form, "[data-result]", HTMLElement);
const everything = query(form, "[data-all]", HTMLButtonElement);
/** @type {Map<number, number>} versions of the clients of the view that are on other pages */
const elsewhere = new Map();
let isBusy = false;

const boxes = () => queryAll(body, ".pick input", HTMLInputElement);

/** @param {HTMLInputElement} box */
function pairOf(box) {
	const { key, version } = /** @type {HTMLElement} */ (box.closest("tr")).dataset;
	return /** @type {[number, number]} */ ([Number(key), Number(version)]);
}

function selection() {
	const here = boxes()
		.filter((box) => box.checked)
		.map(pairOf);
	return [...here, ...elsewhere];
}

/** Draw the number of selected clients, and what else can be selected. */
export function drawSelection() {
	const count = selection().length;
	const picked = boxes().filter((box) => box.checked).length;
	head.checked = picked === boxes().length;
	head.indeterminate = picked > 0 && !head.checked;
	form.hidden = count === 0 && !result.textContent;
	setText(query(form, "[data-count]", HTMLElement), `${selection().length} selected`);
	const total = Number(body.dataset.total);
	const reach = Math.min(total, MAX_CLIENTS);
	everything.hidden = !head.checked || elsewhere.size > 0 || total <= boxes().length;
	setText(everything, total > MAX_CLIENTS ? `Select the first ${reach} of ${total}` : `Select all ${total}`);
}

const checkAll = () => {
	for (const box of boxes()) box.checked = head.checked;
};
// The module is loaded by the first change, which may be that of the head.
if (head.checked) checkAll();
table.addEventListener("change", ({ target }) => {
	if (target === head) checkAll();
	if (boxes().some((box) => !box.checked)) elsewhere.clear(); // the user no longer wants them all
	drawSelection();
});

on("rows-shown", drawSelection);

everything.addEventListener("click", async () => {
	try {
		const { clients } = await call("GET", form.dataset.orderUrl ?? "");
		const here = new Set(boxes().map((box) => pairOf(box)[0]));
		for (const [id, version] of clients) if (!here.has(id)) elsewhere.set(id, version);
		drawSelection();
	} catch {
		setText(result, "The clients could not be read. Try again.");
	}
});

query(form, "[data-clear]", HTMLButtonElement).addEventListener("click", () => {
	for (const box of boxes()) box.checked = false;
	elsewhere.clear();
	result.replaceChildren();
	drawSelection();
	head.focus();
});

const action = query(form, "[name=action]", HTMLSelectElement);
function drawAction() {
	showOnly(form, "for", action.value);
	for (const control of form.elements)
		control.toggleAttribute("required", control.getAttribute("name") === action.value);
}
action.addEventListener("change", drawAction);
drawAction();

form.addEventListener("submit", async (event) => {
	event.preventDefault();
	if (isBusy) return;
	isBusy = true;
	const wanted = selection();
	const chosen = action.value; // the user can choose another action meanwhile
	const field = form.elements.namedItem(chosen);
	const value = field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value : "";
	result.replaceChildren();
	progress.max = wanted.length;
	progress.value = 0;
	progress.hidden = false;
	/** @type {Result[]} */
	const results = [];
	try {
		while (results.length < wanted.length) {
			const clients = wanted.slice(results.length, results.length + CLIENTS_A_STEP);
			const step = { action: chosen, value, clients, is_rest: results.length > 0 };
			const answer = await call("POST", form.dataset.url ?? "", { body: step, timeoutMs: 60_000 });
			results.push(...answer.results);
			progress.value = results.length;
		}
		report(results, "");
	} catch (error) {
		report(results, failureOf(error, wanted.length - results.length));
	}
	progress.hidden = true;
	isBusy = false;
});

/**
 * @param {unknown} error
 * @param {number} left how many clients have no result
 */
function failureOf(error, left) {
	const why = error instanceof HttpError && error.status === 422 ? error.message.replace(/^value: /, "") : "";
	return why || `The server could not be reached: ${left} clients may not be changed. Load the list again.`;
}

/**
 * Say what became of the clients, and keep those selected that are not changed.
 * @param {Result[]} results
 * @param {string} failure
 */
function report(results, failure) {
	const failed = results.filter(({ reason }) => reason);
	const changed = results.filter(({ is_changed }) => is_changed).length;
	const same = results.length - failed.length - changed;
	const counts = [
		results.length && `${changed} changed`,
		same && `${same} already so`,
		failed.length && `${failed.length} not changed`,
	].filter(Boolean);
	const items = failed.map(({ name, reason }) => createElement("li", {}, `${name || "A client"}: ${reason}`));
	result.replaceChildren(createElement("p", {}, [counts.join(", "), failure].filter(Boolean).join(". ")));
	if (items.length) result.append(createElement("ul", {}, ...items));
	if (results.length)
		result.append(createElement("a", { href: location.href }, "Show the list as it is now"));
	const done = new Set(results.filter(({ reason }) => !reason).map(({ id }) => id));
	for (const box of boxes()) if (done.has(pairOf(box)[0])) box.checked = false;
	for (const id of done) elsewhere.delete(id);
	drawSelection();
}
