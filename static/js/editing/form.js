// @ts-check
/**
 * A form that knows what has been changed in it: marks the fields, counts them in the save bar, tells presence what is
 * edited, keeps them as a draft (drafts.js), warns before typed values are lost, and is sent once.
 *
 * Reads:  <form data-edit-form>, data-unsaved on it where it came back with values that are not saved; data-base, as JSON
 *         the record's values where it shows others; data-entry-label, which part of the record it edits; each control with
 *         its label in a `.field`; the submit button; [data-change-count] and [data-not-saved] where they are to be shown.
 * Fires:  `portal:activity` {activity: "editing", fields (labels)}, `portal:sign-in-wanted` when sent while signed out,
 *         `portal:access-lost` {mayRead} when sent by somebody who may no longer save it.
 * Hears:  `portal:connection` {state}; `portal:finish`: saves what is changed, or leaves by the link in .save-bar.
 */
import { fire, on } from "../lib/events.js";
import { fieldsChanged, isChanged, isTooLong, reportedName } from "./changes.js";
import { draftOf } from "./drafts/form-draft.js";
import { Saving } from "./saving.js";

/** @param {HTMLFormElement} form */
export function watchForm(form) {
	startFromTheRecord(form);
	const draft = draftOf(form, (state) => {
		if (state === "kept") sayNotSaved(form, false);
		if (state === "signed-out" && !isSignedOut) fire("sign-in-wanted");
	});
	let isSignedOut = false;
	const untouched = form.dataset.entryLabel ? [reportedName(form.dataset.entryLabel)] : [];
	let reported = untouched.join(); // by the page's first beat
	let count = 0;

	const follow = () => {
		const changed = markChanges(form);
		count = changed.length;
		const fields = count ? changed : untouched;
		drawCount(form, count);
		if (reported !== fields.join()) fire("activity", { activity: "editing", fields });
		reported = fields.join();
		draft.changed();
		countCharacters(form);
	};
	const begin = () => {
		saving.end();
		draft.begin();
		follow();
	};
	const saving = new Saving(form, begin);
	/** Sent once the draft is safe: a portal that cannot be reached would answer with a page that has nothing of it. */
	const sendWhenReady = async (submitter) => {
		saving.begin();
		const outcome = await draft.prepare();
		if (outcome === "signed-out") fire("sign-in-wanted");
		if (outcome === "read-only" || outcome === "gone")
			fire("access-lost", { mayRead: outcome === "read-only" });
		sayNotSaved(form, outcome === "away");
		if (outcome !== "ready") return saving.end();
		saving.submit(submitter);
	};

	form.addEventListener("input", follow);
	form.addEventListener("submit", (event) => {
		if (saving.isSubmitting) return;
		if (saving.isIdle && !isSignedOut && !tooLongIn(form).length && draft.isEmpty) return saving.sent();
		event.preventDefault();
		if (!saving.isIdle) return;
		if (tooLongIn(form).length) tooLongIn(form)[0].focus();
		else if (isSignedOut) fire("sign-in-wanted");
		else sendWhenReady(event.submitter);
	});
	const cancel = /** @type {HTMLAnchorElement|null} */ (form.querySelector(".save-bar a"));
	cancel?.addEventListener("click", async (event) => {
		if (!count || !document.querySelector("[data-leaving]")) return;
		event.preventDefault();
		try {
			const { askBeforeLeaving } = await import("./leave-dialog.js");
			askBeforeLeaving(cancel, fieldsChanged(count), draft);
		} catch {
			location.assign(cancel.href); // the portal is away: the browser asks where the draft is not kept
		}
	});
	on("connection", ({ state }) => {
		isSignedOut = state === "signed-out";
		if (state === "online") sayNotSaved(form, false);
	});
	on("finish", () => {
		if (count || "unsaved" in form.dataset) form.requestSubmit();
		else form.querySelector(".save-bar a").click();
	});
	window.addEventListener("beforeunload", (event) => {
		if (saving.takesOwnUnload()) return;
		if (!saving.isIdle || !draft.isSafe) event.preventDefault();
	});
	// Also after the back button, and where the browser restored what was typed.
	window.addEventListener("pageshow", begin);
	begin();
}

/**
 * A form that came with values of its own, a restored draft for instance, is told by data-base what the record holds: from
 * here on the controls start from that, and show what they came with.
 */
function startFromTheRecord(form) {
	for (const [name, base] of Object.entries(JSON.parse(form.dataset.base || "{}"))) {
		const control = form.elements.namedItem(name);
		const { value } = control;
		if (control.options) for (const option of control.options) option.defaultSelected = option.value === base;
		else control.defaultValue = base;
		control.value = value;
	}
}

/** The names of the changed fields, in their order. */
function markChanges(form) {
	const fields = new Map();
	for (const control of form.elements) {
		const field = control.closest(".field");
		if (field && control.name) fields.set(field, fields.get(field) || isChanged(control));
	}
	for (const [field, changed] of fields) field.classList.toggle("changed", changed);
	return [...fields].filter(([, changed]) => changed).map(([field]) => nameOf(form, field));
}

/** Every field with the name by which others are told of it. @param {HTMLFormElement} form @returns {Map<Element, string>} */
export function namesOf(form) {
	const named = Array.from(form.elements).filter((control) => "name" in control && control.name);
	const fields = new Set(named.map((control) => control.closest(".field")).filter(Boolean));
	return new Map([...fields].map((field) => [field, nameOf(form, field)]));
}

/** By the label's own text, without a badge inside it. */
function nameOf(form, field) {
	return reportedName(field.querySelector("legend, label").firstChild.textContent, form.dataset.entryLabel);
}

const tooLongIn = (form) => [...form.elements].filter(isTooLong);

let hasBeenTooLong = false;

/** Of a text that is too long, by how much; that it no longer is. */
async function countCharacters(form) {
	hasBeenTooLong ||= tooLongIn(form).length > 0;
	if (!hasBeenTooLong) return;
	const { sayTooLong } = await import("./too-long.js");
	for (const control of form.querySelectorAll("[data-max-characters]")) sayTooLong(control);
}

function sayNotSaved(form, is) {
	for (const note of form.querySelectorAll("[data-not-saved]")) note.hidden = !is;
}

function drawCount(form, count) {
	const counter = form.querySelector("[data-change-count]");
	if (counter)
		counter.textContent = !count && "unsaved" in form.dataset ? "Not saved yet" : fieldsChanged(count);
}
