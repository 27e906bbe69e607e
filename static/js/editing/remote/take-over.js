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
import { createElement } from "../../lib/dom.js";
import { holdStill } from "../../lib/hold-still.js";
import { myId } from "../../session/session.js";
import { controlNamed } from "../controls.js";
import { renderDifference } from "./diff.js";
import { seenVersion, withSeen } from "../seen.js";
import { isSameText } from "./revisions.js";
import { defaultOf, setDefault, textOf } from "./control-values.js";
import { dropLine, setChoice, setNews } from "./field-notes.js";
import { replaceValue } from "./replace.js";
import { renderSavedAt } from "./saved-at.js";
import { mergeText } from "./text-merge.js";
import * as wording from "./wording.js";

/** @typedef {import("../controls.js").Control} Control */
/** @typedef {import("./revisions.js").Newer} Newer */
/** @typedef {{default: string, seen: number, newer: Newer}} Before the state before a newer value was shown */
/** @typedef {Before & {was: string, value: string}} Taken was: what the control held; value: what replaced it */
/** @typedef {{text: import("./field-notes.js").Text, actions?: import("./field-notes.js").Action[]}} News */
/** @typedef {"both"|"yours"} Merge */

const STILL_TYPING_MS = 500;

/** @type {WeakMap<Control, Taken>} the last newer value of each control */
const taken = new WeakMap();
/** @type {WeakMap<Control, (Node|string)[]>} the news of controls whose newer value can be undone */
const undoable = new WeakMap();
/** @type {WeakMap<Control, symbol>} the last request for each text */
const requests = new WeakMap();

/**
 * Show the newer value in a field that the user has not changed.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 */
export function receive(form, control, newer) {
	const { value } = control;
	const was = control.type === "textarea" ? "" : wording.wasText(textOf(control));
	const text = [
		`${wording.arrivedFrom(newer, myId())}, `,
		renderSavedAt(newer.at),
		...(was && value !== newer.raw ? [` · ${was}`] : []),
	];
	const undo = () => keep(form, control, newer, value);
	settle(form, control, newer, newer.raw, { text, actions: value === newer.raw ? [] : [["Undo", undo]] });
	undoable.set(control, text);
}

/**
 * Make the field start from the newer value, and hold `value`.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 * @param {string} value
 * @param {News} news
 */
function settle(form, control, newer, value, { text, actions = [] }) {
	const seen = hidden(form, "seen");
	const { name, version, raw } = newer;
	taken.set(control, {
		was: control.value,
		default: defaultOf(control),
		seen: seenVersion(seen.value, name),
		newer,
		value,
	});
	undoable.delete(control);
	seen.value = withSeen(seen.value, name, version);
	setDefault(control, raw, newer.value);
	holdStill(() => replaceValue(control, value));
	if (!noteAside(form, control, newer)) {
		if (newer.overruled && value === raw) noteOverruled(form, control, newer);
		else setNews(fieldOf(control), text, actions);
	}
	control.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * Offer both values, because both users have changed the field. The save waits until the user has decided.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 * @param {{mayMerge?: boolean}} [options] mayMerge: merge lines that do not overlap at once
 */
export function offer(form, control, newer, options = {}) {
	if (form.dataset.mergeUrl && control.type === "textarea") {
		dropLine(fieldOf(control));
		return offerText(form, control, newer, options);
	}
	const [text, value] = wording.savedThis(newer, myId());
	const actions = [
		useTheirs(form, control, newer),
		action("Keep mine", () => keep(form, control, newer, control.value)),
	];
	setChoice(fieldOf(control), [text, createElement("b", {}, value)], actions, asked(newer));
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
	const putBack = () => {
		aside.remove();
		unsettle(form, control, taken.get(control) ?? { default: newer.before, seen: 0, newer });
		replaceValue(control, aside.value);
		offer(form, control, newer);
		control.dispatchEvent(new Event("input", { bubbles: true }));
	};
	setNews(fieldOf(control), isTheirs ? wording.usingTheirs(newer, myId()) : wording.KEPT_ASIDE, [
		["Put mine back", putBack],
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
	const putBack = () => keep(form, control, settled, overruled?.raw ?? "");
	const text = wording.replacedYours(newer, myId());
	setChoice(fieldOf(control), text, [["Put mine back", putBack]], { by: newer.by_id });
}

/**
 * Return the user's overruled value of which the control has shown a notice.
 * @param {Control} control
 */
export const overruledBefore = (control) => taken.get(control)?.newer.overruled;

/**
 * Follow what the user types, and the browser's undo history: Ctrl+Z takes a newer value back in one step.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {string} [inputType]
 */
export function followTyping(form, control, inputType) {
	const last = taken.get(control);
	if (!last || !inputType) return;
	const { newer } = last;
	const text = undoable.get(control);
	if (inputType === "historyUndo" && control.value === last.was) {
		unsettle(form, control, last);
		offer(form, control, newer, { mayMerge: false }); // the user has just taken the merged text back
	} else if (inputType === "historyRedo" && control.value === last.value) {
		const [by, at] = [wording.arrivedFrom(newer, myId()), renderSavedAt(newer.at)];
		settle(form, control, newer, last.value, { text: [`${by}, `, at] });
	} else if (text && control.value !== last.value) {
		setNews(fieldOf(control), text, []); // Undo would remove what the user has typed since
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
	settle(form, control, newer, newer.raw, { text: "" }); // the note about the value aside replaces it
}

/**
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 * @param {string} value
 */
const keep = (form, control, newer, value) =>
	settle(form, control, newer, value, {
		text: wording.keptMine(newer, myId()),
		actions: [useTheirs(form, control, newer)],
	});

/**
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 */
const useTheirs = (form, control, newer) =>
	action(wording.useTheirs(newer, myId()), () => take(form, control, newer));

/**
 * @param {string} label
 * @param {() => any} act
 * @returns {import("./field-notes.js").Action}
 */
const action = (label, act) => [label, act];

/** @param {Newer} newer about which the save asks */
const asked = ({ by_id }) => ({ by: by_id, isUndecided: true });

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
	let response = await mergeText(form, control, typed);
	while (requests.get(control) === request && response && typed !== control.value) {
		await new Promise((resolve) => setTimeout(resolve, STILL_TYPING_MS));
		typed = control.value;
		response = await mergeText(form, control, typed);
	}
	if (requests.get(control) !== request) return;
	const text = response?.texts[control.name];
	if (!response || !text || (text.merged !== null && !mayMerge))
		return setNews(fieldOf(control), wording.savingMerges(newer, myId()), []);
	const known = { ...newer, version: response.version, raw: text.saved };
	if (text.merged !== null)
		return settle(form, control, known, text.merged, { text: wording.bothAreHere(newer, myId()) });
	const merges = {
		both: () => settle(form, control, known, text.both, { text: wording.bothAreHere(newer, myId()) }),
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
			useTheirs(form, control, known),
			["Keep mine", () => choose("yours")],
		],
		{ ...asked(newer), details: renderDifference(text.changes ?? [["same", text.saved]]) },
	);
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
const fieldOf = (control) => /** @type {Element} */ (control.closest(".field"));

/** @param {Control} control */
const asideName = (control) => `aside-${control.name}`;

/**
 * @param {HTMLFormElement} form
 * @param {"version"|"seen"} name
 */
const hidden = (form, name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
