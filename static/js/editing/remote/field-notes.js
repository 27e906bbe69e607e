/**
 * Notes at a field of a form: a note beside its label, and a line below its control. The line is a choice, which the
 * user has to decide, or news. Both describe the control to screen readers. Nothing that appears moves what the user
 * works with. The styles are in components/field.css and editing/field-choice.css.
 *
 * Reads: a `.field` with a `.field-head`, a label and a control.
 *
 * @example setNote(field, "Daniel is changing this");
 */
import { createElement, query, queryAll, setText } from "../../lib/dom.js";
import { holdStill } from "../../lib/hold-still.js";
import { hueClass } from "../../lib/initials.js";
import { fieldName } from "../changes.js";

/** @typedef {[label: string, act: () => void]} Action a button */
/** @typedef {string|(Node|string)[]} Text */
/**
 * @typedef {Object} LineOptions
 * @property {number|null} [by] the author, whose colour the line has
 * @property {boolean} [isUndecided] whether a save waits for the user's decision
 * @property {Element} [details] what the other user has changed, or a link to it
 */

/**
 * Set or remove the note beside the label.
 * @param {Element} field
 * @param {string} text "" removes the note
 */
export function setNote(field, text) {
	const control = controlOf(field);
	const id = `${control.id}-changing`;
	const known = document.getElementById(id);
	if (text && known) return setText(known, text);
	describe(control, id, Boolean(text));
	known?.remove();
	if (text)
		query(field, ".field-head", HTMLElement).append(createElement("span", { id, className: "note" }, text));
}

/**
 * Show a sentence with buttons below the control, in the place of the line that is there. Each button removes the line
 * and focuses the control.
 * @param {Element} field
 * @param {Text} text
 * @param {Action[]} actions
 * @param {LineOptions} [options]
 */
export function setChoice(field, text, actions, { by = null, isUndecided = false, details } = {}) {
	const line = renderLine(field, "choice", text, actions, details);
	if (by !== null) line.classList.add(hueClass(by));
	if (isUndecided) {
		Object.assign(line, { role: "group", tabIndex: -1 });
		line.setAttribute("aria-labelledby", `${controlOf(field).id}-choice`);
		line.dataset.undecided = "";
	}
	replaceLine(field, line);
}

/**
 * Tell below the control what has happened to it, in the place of the line that is there.
 * @param {Element} field
 * @param {Text} text
 * @param {Action[]} actions
 */
export const setNews = (field, text, actions) => replaceLine(field, renderLine(field, "news", text, actions));

/**
 * Remove the line below the control.
 * @param {Element} field
 */
export const dropLine = (field) => replaceLine(field, null);

/**
 * @param {Element} field
 * @param {HTMLElement|null} line
 */
function replaceLine(field, line) {
	const known = field.querySelector(":scope > :is(.choice, .news)");
	if (!known && !line) return;
	const control = controlOf(field);
	holdStill(() => {
		known?.remove();
		if (line) field.append(line);
		describe(control, `${control.id}-choice`, Boolean(line));
	});
	drawUndecided(field.closest("form"));
}

/**
 * @param {Element} field
 * @param {"choice"|"news"} className
 * @param {Text} text
 * @param {Action[]} actions
 * @param {Element} [details]
 */
function renderLine(field, className, text, actions, details) {
	const sentence = createElement("p", { id: `${controlOf(field).id}-choice` }, ...[text].flat());
	const buttons = actions.map(([label, act]) => actionButton(field, label, act));
	return createElement("div", { className }, sentence, ...(details ? [details] : []), ...buttons);
}

/**
 * Say in the save bar how many fields wait for a decision.
 * @param {HTMLFormElement|null} form
 */
function drawUndecided(form) {
	const count = form?.querySelectorAll("[data-undecided]").length ?? 0;
	for (const part of queryAll(form ?? document, "[data-to-decide]", HTMLElement)) {
		setText(query(part, "button", HTMLElement), `${count} to decide`);
		part.hidden = !count;
	}
}

/**
 * Create a button of a line.
 * @param {Element} field
 * @param {string} label
 * @param {() => void} act
 */
const actionButton = (field, label, act) =>
	linkButton(label, labelOf(field), () => {
		controlOf(field).focus({ preventScroll: true });
		dropLine(field);
		act();
	});

/**
 * Create a button that looks like a link. Its accessible name says what it is about, because a screen reader may read
 * the button alone. It begins with the visible text.
 * @param {string} label
 * @param {string} what
 * @param {(button: HTMLButtonElement) => void} act
 */
export function linkButton(label, what, act) {
	const ariaLabel = `${label}: ${what}`;
	const button = createElement("button", { type: "button", className: "link", ariaLabel }, label);
	button.addEventListener("click", () => act(button));
	return button;
}

/**
 * Return the field's label without a badge inside it.
 * @param {Element} field
 */
export const labelOf = (field) => fieldName(query(field, "label", HTMLElement).firstChild?.textContent ?? "");

/** @param {Element} field */
const controlOf = (field) => query(field, "input, select, textarea", HTMLElement);

/**
 * Add an element to those that describe the control to screen readers, or take it out.
 * @param {Element} control
 * @param {string} id
 * @param {boolean} isDescribed
 */
export function describe(control, id, isDescribed) {
	const ids = new Set((control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
	if (isDescribed) ids.add(id);
	else ids.delete(id);
	if (ids.size) control.setAttribute("aria-describedby", [...ids].join(" "));
	else control.removeAttribute("aria-describedby");
}
