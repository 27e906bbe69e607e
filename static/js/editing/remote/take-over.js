/**
 * A newer value of one field: accepted, offered beside what the user has typed, or taken back.
 *
 * The hidden input `version`, at which the user started, never changes. The hidden input `seen` has the newer versions
 * that the user has seen, and has accepted or overruled. What the user had typed before accepting another value is set
 * aside in a hidden input `aside-phone`, which the draft contains, until the save. The server merges texts line by
 * line, so that "Keep mine" does not remove lines of other users that do not overlap.
 *
 * Reads: `version` and `seen` of the form; data-merge-url, if the server merges its texts.
 *
 * @example offer(form, control, newer);
 */
import { call, HttpError } from "../../lib/http.js";
import { createElement } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { controlNamed } from "../controls.js";
import { renderDifference } from "./diff.js";
import { seenVersion, withSeen } from "../seen.js";
import { isSameText } from "./revisions.js";
import { dropChoice, setChoice, setNote } from "./field-notes.js";
import { replaceValue } from "./replace.js";
import * as wording from "./wording.js";

/** @typedef {import("../controls.js").Control} Control */
/** @typedef {import("./revisions.js").Newer} Newer */
/** @typedef {{default: string, seen: number, newer: Newer}} Before the state before a newer value was shown */
/** @typedef {Before & {was: string, value: string}} Taken was: what the control held; value: what replaced it */
/** @typedef {"both"|"yours"} Merge */
/**
 * @typedef {Object} MergedText
 * @property {string|null} merged null if both users have changed the same lines
 * @property {string} saved
 * @property {string} both
 * @property {string} yours
 * @property {import("./diff.js").Pieces} [changes]
 */

const STILL_TYPING_MS = 500;

/** @type {WeakMap<Control, Taken>} the last newer value of each control */
const taken = new WeakMap();
/** @type {WeakMap<Control, symbol>} the last request for each text */
const requests = new WeakMap();

/**
 * Make the field start from the newer value, and hold `value`.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 * @param {string} value
 * @param {string} note
 */
export function settle(form, control, newer, value, note) {
	const seen = hidden(form, "seen");
	const { name, version, raw } = newer;
	taken.set(control, {
		was: control.value,
		default: defaultOf(control),
		seen: seenVersion(seen.value, name),
		newer,
		value,
	});
	seen.value = withSeen(seen.value, name, version);
	setDefault(control, raw, newer.value);
	replaceValue(control, value);
	if (!noteAside(form, control, newer)) {
		if (newer.overruled && value === raw) noteOverruled(form, control, newer);
		else setNote(fieldOf(control), "saved", note);
	}
	control.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * Offer both values, because both users have changed the field. If the user decides nothing, the save asks.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 * @param {{mayMerge?: boolean}} [options] mayMerge: merge lines that do not overlap at once
 */
export function offer(form, control, newer, options = {}) {
	setNote(fieldOf(control), "saved", "");
	if (form.dataset.mergeUrl && control.type === "textarea") return offerText(form, control, newer, options);
	setChoice(fieldOf(control), wording.changedThisTo(newer, myId()), [
		["Take theirs", () => take(form, control, newer)],
		["Keep mine", () => keep(form, control, newer, control.value)],
	]);
}

/**
 * Show the note on a field whose typed value is set aside, and return whether there is one.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 */
export function noteAside(form, control, newer) {
	const aside = controlNamed(form, asideName(control));
	if (!aside) return false;
	const isTheirs = isSameText(control.value, newer.raw);
	setNote(fieldOf(control), "saved", isTheirs ? wording.usingTheirs(newer, myId()) : wording.KEPT_ASIDE, [
		"Put mine back",
		() => {
			aside.remove();
			unsettle(form, control, taken.get(control) ?? { default: newer.before, seen: 0, newer });
			replaceValue(control, aside.value);
			offer(form, control, newer);
			control.dispatchEvent(new Event("input", { bubbles: true }));
		},
	]);
	return true;
}

/**
 * Tell the user that another user has knowingly replaced or undone their value. Until the save they can put it back.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 */
function noteOverruled(form, control, newer) {
	const { overruled, ...settled } = newer;
	setNote(fieldOf(control), "saved", "");
	setChoice(fieldOf(control), wording.replacedYours(newer, myId()), [
		["Put mine back", () => keep(form, control, settled, overruled?.raw ?? "")],
	]);
}

/**
 * Return the user's overruled value of which the control has shown a notice.
 * @param {Control} control
 */
export const overruledBefore = (control) => taken.get(control)?.newer.overruled;

/**
 * Follow the browser's undo history: Ctrl+Z takes a newer value back in one step.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {string} [inputType]
 */
export function followHistory(form, control, inputType) {
	const last = taken.get(control);
	if (!last || !inputType?.startsWith("history")) return;
	const { newer } = last;
	if (inputType === "historyUndo" && control.value === last.was) {
		unsettle(form, control, last);
		offer(form, control, newer, { mayMerge: false }); // the user has just taken the merged text back
	} else if (inputType === "historyRedo" && control.value === last.value) {
		dropChoice(fieldOf(control));
		settle(form, control, newer, last.value, wording.changedThis(newer, myId()));
	}
}

/**
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 */
function take(form, control, newer) {
	controlNamed(form, asideName(control))?.remove();
	const aside = createElement("input", { type: "hidden", name: asideName(control), value: control.value });
	fieldOf(control).append(aside);
	settle(form, control, newer, newer.raw, "");
}

/**
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 * @param {string} value
 */
const keep = (form, control, newer, value) =>
	settle(form, control, newer, value, wording.keptMine(newer, myId()));

/**
 * Let the server merge the texts, and offer what it cannot merge.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 * @param {{mayMerge?: boolean, chosen?: Merge}} options chosen: by the user, who has typed more since
 */
async function offerText(form, control, newer, { mayMerge = true, chosen }) {
	const request = Symbol("of this text");
	requests.set(control, request);
	let typed = control.value;
	let response = await merged(form, control, typed);
	while (requests.get(control) === request && response && typed !== control.value) {
		await new Promise((resolve) => setTimeout(resolve, STILL_TYPING_MS));
		typed = control.value;
		response = await merged(form, control, typed);
	}
	if (requests.get(control) !== request) return;
	const text = response?.texts[control.name];
	if (!response || !text || (text.merged !== null && !mayMerge))
		return setNote(fieldOf(control), "saved", wording.savingMerges(newer, myId()));
	const known = { ...newer, version: response.version, raw: text.saved };
	if (text.merged !== null)
		return settle(form, control, known, text.merged, wording.bothAreHere(newer, myId()));
	const merges = {
		both: () => settle(form, control, known, text.both, wording.bothAreHere(newer, myId())),
		yours: () => keep(form, control, known, text.yours),
	};
	if (chosen) return merges[chosen]();
	const choose = (/** @type {Merge} */ merge) =>
		control.value === typed ? merges[merge]() : offerText(form, control, newer, { chosen: merge });
	setChoice(
		fieldOf(control),
		wording.linesTouch(newer, myId()),
		[
			["Keep both", () => choose("both")],
			["Take theirs", () => take(form, control, known)],
			["Keep mine", () => choose("yours")],
		],
		renderDifference(text.changes ?? [["same", text.saved]]),
	);
}

/**
 * Return the server's merge; null if the server cannot be reached, so that the save merges.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {string} typed
 * @returns {Promise<{version: number, texts: Record<string, MergedText|undefined>}|null>}
 */
async function merged(form, control, typed) {
	const body = {
		version: Number(hidden(form, "version").value),
		seen: hidden(form, "seen").value,
		[control.name]: typed,
	};
	try {
		return await call("POST", form.dataset.mergeUrl ?? "", { body });
	} catch (error) {
		if (error instanceof HttpError) return null;
		throw error;
	}
}

/**
 * Restore the state before the newer value was shown.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Before} before
 */
function unsettle(form, control, before) {
	const seen = hidden(form, "seen");
	seen.value = withSeen(seen.value, before.newer.name, before.seen);
	setDefault(control, before.default, before.default);
}

/** @param {Control} control */
const defaultOf = (control) =>
	control instanceof HTMLSelectElement
		? (Array.from(control.options).find((each) => each.defaultSelected)?.value ?? "")
		: control.defaultValue;

/**
 * @param {Control} control
 * @param {string} raw
 * @param {string} text of an option that the drop-down lacks
 */
function setDefault(control, raw, text) {
	if (!(control instanceof HTMLSelectElement)) {
		control.defaultValue = raw;
		return;
	}
	const { value } = control;
	if (!Array.from(control.options).some((option) => option.value === raw)) control.add(new Option(text, raw));
	for (const option of control.options) option.defaultSelected = option.value === raw;
	control.value = value;
}

/** @param {Control} control */
const fieldOf = (control) => /** @type {Element} */ (control.closest(".field"));

/** @param {Control} control */
const asideName = (control) => `aside-${control.name}`;

/**
 * @param {HTMLFormElement} form
 * @param {"version"|"seen"} name
 */
const hidden = (form, name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
