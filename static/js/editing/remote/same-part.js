/**
 * Warns the user, who adds a person or a product, that another user has just added the same one. The server compares,
 * so that the form and the save use the same rule. After the first such addition by another user the form asks again
 * after each change of a field.
 *
 * Reads: data-same-url and data-entry of the form; data-same where the page itself asks (_confirm_another.html).
 * Sets:  the hidden input `confirm_another`, if the user says that it is another one.
 *
 * @example askAboutSame(form, status);
 */
import { call, HttpError } from "../../lib/http.js";
import { createElement, setText } from "../../lib/dom.js";
import { controlNamed, controlsOf } from "../controls.js";
import { dropLine, setChoice } from "./field-notes.js";

/** @typedef {{key: string, name: string, url: string, field: string, question: string, can_be_another: boolean}} Same */

/** @type {WeakMap<HTMLFormElement, symbol>} the last request of each form; responses to earlier ones are ignored */
const asked = new WeakMap();
/** @type {WeakMap<HTMLFormElement, string|undefined>} the question that each form shows, or that is answered */
const shown = new WeakMap();

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} status a live region
 */
export function askAboutSame(form, status) {
	if (!asked.has(form)) form.addEventListener("change", () => ask(form, status));
	return ask(form, status);
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} status
 */
async function ask(form, status) {
	const question = Symbol("of this form");
	asked.set(form, question);
	const same = await sameAs(form);
	if (asked.get(form) !== question || same === undefined) return;
	// The question that is there stays: the user may be pressing its link, which has left the field and asked again.
	if (same && same.question === shown.get(form) && form.querySelector(".choice")) return;
	shown.set(form, same?.question);
	for (const field of form.querySelectorAll(".field:has(.choice)")) dropLine(field);
	const isNews = same && !isAnswered(form, same.key);
	setText(status, isNews ? same.question : "");
	if (isNews) show(form, same);
}

/**
 * Return the part that the typed values also describe; undefined without a response, so that the save asks.
 * @param {HTMLFormElement} form
 * @returns {Promise<Same|null|undefined>}
 */
async function sameAs(form) {
	const fields = controlsOf(form).filter((control) => control.closest(".field") && control.type !== "hidden");
	const body = Object.fromEntries(fields.map(({ name, value }) => [name, value]));
	try {
		return (await call("POST", form.dataset.sameUrl ?? "", { body })).same;
	} catch (error) {
		if (error instanceof HttpError) return undefined;
		throw error;
	}
}

/**
 * @param {HTMLFormElement} form
 * @param {Same} same
 */
function show(form, { key, name, url, field, question, can_be_another }) {
	const link = createElement("a", { href: url, className: "button small" }, `Open ${name}`);
	const confirm = () => {
		controlNamed(form, "confirm_another")?.remove();
		form.append(createElement("input", { type: "hidden", name: "confirm_another", value: key }));
	};
	const [kind] = (form.dataset.entry ?? "").split("/");
	const element = controlNamed(form, field)?.closest(".field");
	if (element)
		setChoice(element, question, can_be_another ? [[`This is another ${kind}`, confirm]] : [], {
			details: link,
		});
}

/**
 * Whether the user has said that it is another one, or the page asks already.
 * @param {HTMLFormElement} form
 * @param {string} key
 */
const isAnswered = (form, key) =>
	form.querySelector(`[type="hidden"][name="confirm_another"][value="${key}"], [data-same="${key}"]`) !==
	null;
