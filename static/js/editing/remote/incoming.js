/**
 * What other users save and type, shown in the open editor without interrupting the user. A field that the user has not
 * changed takes the new value. For a field that the user has changed, both values are offered (take-over.js), and the
 * user decides, or the save asks.
 *
 * Reads:   <form data-edit-form>: its hidden `version` and `seen`, data-entry ("person/12", "" for the record itself),
 *          data-unsaved; <presence-page> (poll.js); [data-live="overruled"] if the page shows notices.
 * Listens: `portal:saved`, `portal:roster`.
 *
 * @example watchOthers(form, document.querySelector("presence-page"), { version: 7 });
 */
import { on } from "../../lib/events.js";
import { highlight } from "../../lib/highlight.js";
import { holdStill } from "../../lib/hold-still.js";
import { createElement, setText } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { formatAmount } from "../amounts.js";
import { isChanged } from "../changes.js";
import { controlNamed, fieldOf } from "../controls.js";
import { parseDate, formatDate } from "../dates.js";
import { leadToUndecided } from "../form.js";
import {
	isAdded,
	isOverruledElsewhere,
	isSameNumber,
	isSameText,
	isSeen,
	newer,
	removal,
} from "./revisions.js";
import { locate, reportFocus, showColleagues } from "./colleagues.js";
import { labelOf } from "./field-notes.js";
import { onSaved } from "./poll.js";
import { followRail } from "./rail.js";
import { showNewName } from "./rename.js";
import { followTyping, noteAside, offer, overruledBefore, receive } from "./take-over.js";
import * as wording from "./wording.js";

/** @typedef {import("../controls.js").Control} Control */
/** @typedef {import("./revisions.js").Newer} Newer */
/** @typedef {import("../../presence/sync/roster.js").User} User */

/**
 * Follow what other users save and type.
 * @param {HTMLFormElement} form
 * @param {import("../../presence/sync/page.js").PresencePage|null} page
 * @param {{version: number, signal?: AbortSignal}} options version: at which the user started; signal: ends the following
 */
export function watchOthers(form, page, { version, signal }) {
	if (!page || !controlNamed(form, "seen")) return;
	const status = createElement("p", { className: "visually-hidden", role: "status" });
	form.append(status);
	form.addEventListener("input", (event) => {
		const { inputType } = /** @type {InputEvent} */ (event); // undefined for events of scripts
		followTyping(form, /** @type {Control} */ (event.target), inputType);
	});
	form.querySelector("[data-to-decide]")?.addEventListener("click", () => leadToUndecided(form));
	const rail = followRail(form);
	const showChanges = (/** @type {import("./poll.js").Changes} */ { changes, truncated }) => {
		const entry = form.dataset.entry ?? "";
		const removed = removal(changes, entry);
		if (truncated) return warn(form, wording.TOO_MANY);
		rail.showSaved(changes);
		showNewName(changes);
		if (removed) return warn(form, wording.removedThis(removed, myId()));
		const shown = newer(changes, entry).filter((each) => show(form, asShown(form, each)));
		if (shown.length) setText(status, wording.whatWasSaved(changes, myId()));
		if (form.dataset.sameUrl && isAdded(changes, entry)) askAboutSame(form, status);
		if (isOverruledElsewhere(changes, entry)) return showNotices();
	};
	onSaved(page, showChanges, { version, signal });
	const showOthers = (/** @type {User[]} */ others, /** @type {User[]} */ users) => {
		showColleagues(form, others);
		rail.showOthers(others, users);
	};
	on("roster", ({ others, users }) => showOthers(others, users), signal);
	showOthers(page.others, page.users); // a roster may have arrived before this module was loaded
	reportFocus(form);
	on("locate", ({ names }) => locate(form, names), signal);
}

/**
 * Ask whether the part that is being added has been added. Few forms need the module.
 * @param {HTMLFormElement} form
 * @param {HTMLElement} status
 */
async function askAboutSame(form, status) {
	const samePart = await import("./same-part.js").catch(() => null); // without it the save asks
	await samePart?.askAboutSame(form, status);
}

/** Show the notices of the user's overruled values for which this editor has no field. */
async function showNotices() {
	if (!document.querySelector('[data-live="overruled"]')) return;
	const { refreshLiveParts } = await import("../../lib/live-parts.js");
	await refreshLiveParts(location.href);
}

/**
 * Return the values as the control shows them: dates with the month in words, amounts with commas.
 * @param {HTMLFormElement} form
 * @param {Newer} newer
 * @returns {Newer}
 */
function asShown(form, newer) {
	const control = controlNamed(form, newer.name);
	const field = fieldOf(control);
	if (!control || !field) return newer;
	const format = (/** @type {string} */ raw) => {
		if ("amount" in control.dataset) return formatAmount(raw);
		return "day" in control.dataset ? formatDate(raw) : raw;
	};
	const overruled = newer.overruled ?? (newer.by_id === myId() ? undefined : overruledBefore(control));
	return {
		...newer,
		raw: format(newer.raw),
		before: format(newer.before),
		label: labelOf(field),
		overruled: overruled && {
			...overruled,
			raw: format(overruled.raw),
			isText: control.type === "textarea",
		},
	};
}

/**
 * Return what the user has typed, with a date in the format of the record.
 * @param {Control} control
 */
const typed = ({ dataset, value }) => ("day" in dataset && formatDate(parseDate(value))) || value;

/**
 * Show a newer value, and return whether the form has a field for it that has not shown it yet.
 * @param {HTMLFormElement} form
 * @param {Newer} newer
 */
function show(form, newer) {
	const control = controlNamed(form, newer.name);
	const field = fieldOf(control);
	if (!control || !field) return false;
	if (isSeen(controlNamed(form, "seen")?.value ?? "", newer)) {
		noteAside(form, control, newer); // the form is a restored draft
		return false;
	}
	holdStill(() => {
		if (isTouched(form, control, newer) && !isSame(control, newer.raw)) offer(form, control, newer);
		else receive(form, control, newer);
	});
	highlight(field);
	return true;
}

/**
 * Whether the user has changed the control. A page that came back with what the user had typed may have that as its own
 * values, so the value before the change decides.
 * @param {HTMLFormElement} form
 * @param {Control} control
 * @param {Newer} newer
 */
const isTouched = (form, control, { before }) =>
	(isChanged(control) || "unsaved" in form.dataset) && !isSame(control, before);

/**
 * Whether the control holds this value. Users may type the same amount in different ways.
 * @param {Control} control
 * @param {string} raw
 */
const isSame = (control, raw) =>
	isSameText(typed(control), raw) || (control.inputMode === "decimal" && isSameNumber(control.value, raw));

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 */
function warn(form, text) {
	form.before(createElement("p", { className: "alert-warning", role: "alert" }, text));
}
