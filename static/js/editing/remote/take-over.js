// @ts-check
/**
 * A newer value of one field: taken in, offered beside what is typed, or put back. The hidden `version`, where the person
 * started, never moves; the hidden `seen` says which newer values they have been shown and have taken in or overruled.
 *
 * What was typed is set aside until the save where theirs is taken, in a hidden input `aside-phone`, which drafts.js keeps.
 * Lines of a text are merged by the server, for Keep mine must not take out lines of others that do not touch.
 *
 * Reads:  `version` and `seen` of the form; data-merge-url, where its texts are merged line by line.
 * @typedef {import("./revisions.js").Newer} Newer
 */
import { call, HttpError } from "../../lib/http.js";
import { make } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { drawDifference } from "./diff.js";
import { seenVersion, withSeen } from "../seen.js";
import { isSameText } from "./revisions.js";
import { dropChoice, setChoice, setNote } from "./field-notes.js";
import { replaceValue } from "./replace.js";
import * as wording from "./wording.js";

const STILL_TYPING_MS = 500;

/** what the last newer value of a control replaced @type {WeakMap<Element, {was: string, default: string, seen: number,
 *   newer: Newer, value: string}>} */
const taken = new WeakMap();
/** of each text the latest question to the server @type {WeakMap<Element, symbol>} */
const asked = new WeakMap();

/** From here on the field starts from the newer value, whichever value it holds. */
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
 * Both have changed the field: the person decides, or the save asks.
 * @param {Newer} newer @param {{mayMerge?: boolean}} [options] whether lines that do not touch are put together at once
 */
export function offer(form, control, newer, options = {}) {
	setNote(fieldOf(control), "saved", "");
	if (form.dataset.mergeUrl && control.type === "textarea") return offerText(form, control, newer, options);
	setChoice(fieldOf(control), wording.changedThisTo(newer, myId()), [
		["Take theirs", () => take(form, control, newer)],
		["Keep mine", () => keep(form, control, newer, control.value)],
	]);
}

/** The note on a field whose typed value is set aside. @returns {boolean} whether one is */
export function noteAside(form, control, newer) {
	const aside = hidden(form, asideName(control));
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

/** Somebody has knowingly replaced the person's own value, or undone it: they are told, and may put it back until the save. */
function noteOverruled(form, control, newer) {
	const { overruled, ...settled } = newer;
	setNote(fieldOf(control), "saved", "");
	setChoice(fieldOf(control), wording.replacedYours(newer, myId()), [
		["Put mine back", () => keep(form, control, settled, overruled.raw)],
	]);
}

/** Whose taking over of the control the person has been told of, and has left. */
export const overruledBefore = (control) => taken.get(control)?.newer.overruled;

/** Ctrl Z takes a newer value out in one step: the field is where it was before that. */
export function followHistory(form, control, inputType) {
	const last = taken.get(control);
	if (!last || !inputType?.startsWith("history")) return;
	const { newer } = last;
	if (inputType === "historyUndo" && control.value === last.was) {
		unsettle(form, control, last);
		offer(form, control, newer, { mayMerge: false }); // it has just been taken out
	} else if (inputType === "historyRedo" && control.value === last.value) {
		dropChoice(fieldOf(control));
		settle(form, control, newer, last.value, wording.changedThis(newer, myId()));
	}
}

function take(form, control, newer) {
	hidden(form, asideName(control))?.remove();
	fieldOf(control).append(make("input", { type: "hidden", name: asideName(control), value: control.value }));
	settle(form, control, newer, newer.raw, "");
}

const keep = (form, control, newer, value) =>
	settle(form, control, newer, value, wording.keptMine(newer, myId()));

/** @param {{mayMerge?: boolean, chosen?: "both"|"yours"}} options `chosen` before more was typed */
async function offerText(form, control, newer, { mayMerge = true, chosen }) {
	const question = Symbol("of this text");
	asked.set(control, question);
	let typed;
	let answer;
	do {
		if (answer) await new Promise((resolve) => setTimeout(resolve, STILL_TYPING_MS));
		typed = control.value;
		answer = await merged(form, control, typed);
		if (asked.get(control) !== question) return;
	} while (answer && typed !== control.value);
	const text = answer?.texts[control.name];
	if (!text || (text.merged !== null && !mayMerge))
		return setNote(fieldOf(control), "saved", wording.savingMerges(newer, myId()));
	const known = { ...newer, version: answer.version, raw: text.saved };
	if (text.merged !== null)
		return settle(form, control, known, text.merged, wording.bothAreHere(newer, myId()));
	const ways = {
		both: () => settle(form, control, known, text.both, wording.bothAreHere(newer, myId())),
		yours: () => keep(form, control, known, text.yours),
	};
	if (chosen) return ways[chosen]();
	const choose = (way) =>
		control.value === typed ? ways[way]() : offerText(form, control, newer, { chosen: way });
	const difference = text.changes && drawDifference(text.changes);
	setChoice(
		fieldOf(control),
		wording.linesTouch(newer, myId()),
		[
			["Keep both", () => choose("both")],
			["Take theirs", () => take(form, control, known)],
			["Keep mine", () => choose("yours")],
		],
		difference ?? drawDifference([["same", text.saved]]),
	);
}

/** @returns {Promise<Object|null>} null where the portal does not answer: the save will */
async function merged(form, control, typed) {
	const body = {
		version: Number(hidden(form, "version").value),
		seen: hidden(form, "seen").value,
		[control.name]: typed,
	};
	try {
		return await call("POST", form.dataset.mergeUrl, { body });
	} catch (error) {
		if (error instanceof HttpError) return null;
		throw error;
	}
}

/** As if the newer value had not been shown yet. */
function unsettle(form, control, before) {
	const seen = hidden(form, "seen");
	seen.value = withSeen(seen.value, before.newer.name, before.seen);
	setDefault(control, before.default, before.default);
}

const defaultOf = (control) =>
	control.options
		? (Array.from(control.options).find((each) => each.defaultSelected)?.value ?? "")
		: control.defaultValue;

function setDefault(control, raw, words) {
	if (!control.options) {
		control.defaultValue = raw;
		return;
	}
	const { value } = control;
	if (!Array.from(control.options).some((option) => option.value === raw))
		control.add(new Option(words, raw));
	for (const option of control.options) option.defaultSelected = option.value === raw;
	control.value = value;
}

const fieldOf = (control) => control.closest(".field");
const asideName = (control) => `aside-${control.name}`;
const hidden = (form, name) => form.elements.namedItem(name);
