// @ts-check
/**
 * Others' saves and others' typing, shown in the open editor without ever getting in the way. A field that the person has
 * not touched takes the new value in; one that they have is offered both (taking.js), and they decide or let the save ask.
 *
 * Reads:  <form data-edit-form>: its hidden `version` and `seen`, data-entry ("person/12", "" for the record itself),
 *         data-unsaved; <presence-page>, as saved.js has it.
 * Hears:  `portal:saved`, `portal:roster` {others}.
 */
import { on } from "../../lib/events.js";
import { highlight } from "../../lib/highlight.js";
import { make, write } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { isChanged } from "../changes.js";
import { dayOf, written } from "../dates.js";
import { isOverruledElsewhere, isSameNumber, isSameText, isSeen, newer, removal } from "./revisions.js";
import { namesOf } from "../form.js";
import { dropChoice, labelOf, setNote } from "./field-notes.js";
import { onSaved } from "./poll.js";
import { rename } from "./rename.js";
import { followHistory, noteAside, offer, overruledBefore, settle } from "./take-over.js";
import * as wording from "./wording.js";

/** @param {HTMLFormElement} form @param {import("../../presence/sync/page.js").PresencePage} page defined by now */
export function watchOthers(form, page) {
	if (!page || !hidden(form, "seen")) return;
	const status = make("p", { className: "visually-hidden", role: "status" });
	form.append(status);
	form.addEventListener("input", ({ target, inputType }) => followHistory(form, target, inputType));
	onSaved(page, ({ changes, truncated }) => {
		const entry = form.dataset.entry ?? "";
		const removed = removal(changes, entry);
		if (truncated) return warn(form, wording.TOO_MANY);
		for (const { name, before, raw } of newer(changes, "")) if (name === "name") rename(before, raw);
		if (removed) return warn(form, wording.removedThis(removed, myId()));
		const shown = newer(changes, entry).filter((each) => show(form, asShown(form, each)));
		if (shown.length) write(status, wording.whatWasSaved(changes, myId()));
		if (isOverruledElsewhere(changes, entry)) return showNotices();
	});
	const markOthers = (others) => {
		for (const [field, name] of namesOf(form)) setNote(field, "changing", wording.isChanging(others, name));
	};
	on("roster", ({ others }) => markOthers(others));
	markOthers(page.others); // an answer may have come before this module
}

/** What others have replaced or undone of the person's own that has no field here. templates/clients/history/_overruled.html */
async function showNotices() {
	if (!document.querySelector('[data-live="overruled"]')) return;
	const { refreshLiveParts } = await import("../../lib/live-parts.js");
	await refreshLiveParts(location.href);
}

/** The values as the control shows them: of a day in words. @returns {import("./revisions.js").Newer} */
function asShown(form, newer) {
	const control = form.elements.namedItem(newer.name);
	const field = control instanceof Element && control.closest(".field");
	if (!field) return newer;
	const shown = "day" in control.dataset ? written : (text) => text;
	const overruled = newer.overruled ?? (newer.by_id === myId() ? undefined : overruledBefore(control));
	return {
		...newer,
		raw: shown(newer.raw),
		before: shown(newer.before),
		label: labelOf(field),
		overruled: overruled && { ...overruled, raw: shown(overruled.raw), isText: control.type === "textarea" },
	};
}

/** What is typed, of a day in the same words however it was typed. */
const typed = ({ dataset, value }) => ("day" in dataset && written(dayOf(value))) || value;

/** @returns {boolean} whether there was anything to show */
function show(form, newer) {
	const control = form.elements.namedItem(newer.name);
	const field = control instanceof Element && control.closest(".field");
	if (!field) return false;
	if (isSeen(hidden(form, "seen").value, newer)) {
		noteAside(form, control, newer); // of a restored draft
		return false;
	}
	dropChoice(field);
	if (isTouched(form, control, newer) && !isSame(control, newer.raw)) offer(form, control, newer);
	else settle(form, control, newer, newer.raw, wording.changedThis(newer, myId()));
	highlight(field);
	return true;
}

/** A page that came back with what was typed may hold that as its own values: what the history had before decides. */
const isTouched = (form, control, { before }) =>
	(isChanged(control) || "unsaved" in form.dataset) && !isSame(control, before);

/** Two people may enter the same amount in different ways: that is no collision. */
const isSame = (control, raw) =>
	isSameText(typed(control), raw) || (control.inputMode === "decimal" && isSameNumber(control.value, raw));

function warn(form, text) {
	form.before(make("p", { className: "stale-note", role: "alert" }, text));
}

const hidden = (form, name) => form.elements.namedItem(name);
