/**
 * A form that tracks the user's changes. It marks the changed fields, counts them in the save bar, reports them to
 * presence, saves them as a draft (drafts/form-draft.js), warns before they are lost, and is sent once.
 *
 * Reads:   <form data-edit-form>; data-unsaved if it came back with values that are not saved; data-base, as JSON the
 *          record's values, if the form shows others; data-entry-label, the part of the record that it edits; controls
 *          with their label in a `.field`; the submit button; [data-change-count] and [data-not-saved].
 * Listens: `portal:connection`; `portal:finish`: it saves the changes, or follows the link in .save-bar if there are
 *          none.
 * Fires:   `portal:activity`; `portal:sign-in-wanted` when the user sends it while signed out; `portal:access-lost`
 *          when the user sends it and may no longer save the record.
 *
 * @example <form data-edit-form data-base='{"phone": "020 …"}'><div class="field"><label>…</label><input name="phone"></div></form>
 */
import { fire, on } from "../lib/events.js";
import { query, queryAll } from "../lib/dom.js";
import { changeCountText, isChanged, isTooLong, reportedName } from "./changes.js";
import { controlNamed, controlsOf } from "./controls.js";
import { followDraft } from "./drafts/form-draft.js";
import { Saving } from "./saving.js";

/** @param {HTMLFormElement} form */
export function watchForm(form) {
	startFromTheRecord(form);
	const draft = followDraft(form, (state) => {
		if (state === "kept") showNotSaved(form, false);
		if (state === "signed-out" && !isSignedOut) fire("sign-in-wanted");
	});
	let isSignedOut = false;
	const untouched = form.dataset.entryLabel ? [reportedName(form.dataset.entryLabel)] : [];
	let reported = untouched.join(); // by the page's first heartbeat
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
	/** Send the form once the draft is saved. If the server could not be reached, the browser would replace the page. */
	const sendWhenReady = async (/** @type {HTMLElement|null} */ submitter) => {
		saving.begin();
		const outcome = await draft.prepare();
		if (outcome === "signed-out") fire("sign-in-wanted");
		if (outcome === "read-only" || outcome === "gone")
			fire("access-lost", { mayRead: outcome === "read-only" });
		showNotSaved(form, outcome === "away");
		if (outcome !== "ready") return saving.end();
		saving.submit(submitter);
	};

	form.addEventListener("input", follow);
	form.addEventListener("submit", (event) => {
		if (saving.isSubmitting) return;
		const [tooLong] = tooLongIn(form);
		if (saving.isIdle && !isSignedOut && !tooLong && draft.isEmpty) return saving.sent();
		event.preventDefault();
		if (!saving.isIdle) return;
		if (tooLong) tooLong.focus();
		else if (isSignedOut) fire("sign-in-wanted");
		else sendWhenReady(event.submitter);
	});
	const [cancel] = queryAll(form, ".save-bar a", HTMLAnchorElement);
	cancel?.addEventListener("click", async (event) => {
		if (!count || !document.querySelector("[data-leaving]")) return;
		event.preventDefault();
		try {
			const { askBeforeLeaving } = await import("./leave-dialog.js");
			askBeforeLeaving(cancel, changeCountText(count), draft);
		} catch {
			location.assign(cancel.href); // the server cannot be reached: the browser asks if the draft is not saved
		}
	});
	on("connection", ({ state }) => {
		isSignedOut = state === "signed-out";
		if (state === "online") showNotSaved(form, false);
	});
	on("finish", () => {
		if (count || "unsaved" in form.dataset) form.requestSubmit();
		else cancel?.click();
	});
	window.addEventListener("beforeunload", (event) => {
		if (saving.takesOwnUnload()) return;
		if (!saving.isIdle || !draft.isSafe) event.preventDefault();
	});
	// Fires also after the back button, and when the browser has restored what the user had typed.
	window.addEventListener("pageshow", begin);
	begin();
}

/**
 * Make the controls start from the record's values (data-base) and show those that they came with, as of a restored
 * draft.
 * @param {HTMLFormElement} form
 */
function startFromTheRecord(form) {
	/** @type {Record<string, string>} */
	const base = JSON.parse(form.dataset.base || "{}");
	for (const [name, text] of Object.entries(base)) {
		const control = controlNamed(form, name);
		if (!control) continue;
		const { value } = control;
		if (control instanceof HTMLSelectElement)
			for (const option of control.options) option.defaultSelected = option.value === text;
		else control.defaultValue = text;
		control.value = value;
	}
}

/**
 * Mark the changed fields and return their names, in their order.
 * @param {HTMLFormElement} form
 */
function markChanges(form) {
	/** @type {Map<Element, boolean>} */
	const fields = new Map();
	for (const control of controlsOf(form)) {
		const field = control.closest(".field");
		if (field) fields.set(field, fields.get(field) || isChanged(control));
	}
	for (const [field, changed] of fields) field.classList.toggle("changed", changed);
	return [...fields].filter(([, changed]) => changed).map(([field]) => nameOf(form, field));
}

/**
 * Return every field with the name that heartbeats report.
 * @param {HTMLFormElement} form
 */
export function namesOf(form) {
	const fields = new Set(controlsOf(form).flatMap((control) => control.closest(".field") ?? []));
	return new Map([...fields].map((field) => [field, nameOf(form, field)]));
}

/**
 * Return the label's own text, without a badge inside it.
 * @param {HTMLFormElement} form
 * @param {Element} field
 */
export function nameOf(form, field) {
	const label = query(field, "legend, label", HTMLElement).firstChild?.textContent ?? "";
	return reportedName(label, form.dataset.entryLabel);
}

/** @param {HTMLFormElement} form */
const tooLongIn = (form) => controlsOf(form).filter(isTooLong);

let hasBeenTooLong = false;

/**
 * Show which texts are too long and by how much, once a text has been too long.
 * @param {HTMLFormElement} form
 */
async function countCharacters(form) {
	hasBeenTooLong ||= tooLongIn(form).length > 0;
	if (!hasBeenTooLong) return;
	const { showTooLong } = await import("./too-long.js");
	for (const control of controlsOf(form))
		if (!(control instanceof HTMLSelectElement) && control.dataset.maxCharacters) showTooLong(control);
}

/**
 * @param {HTMLFormElement} form
 * @param {boolean} isShown
 */
function showNotSaved(form, isShown) {
	for (const note of queryAll(form, "[data-not-saved]", HTMLElement)) note.hidden = !isShown;
}

/**
 * @param {HTMLFormElement} form
 * @param {number} count
 */
function drawCount(form, count) {
	const counter = form.querySelector("[data-change-count]");
	if (counter)
		counter.textContent = !count && "unsaved" in form.dataset ? "Not saved yet" : changeCountText(count);
}
