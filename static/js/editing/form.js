/**
 * A form that tracks the user's changes. It marks the changed fields, counts them in the save bar, reports them to
 * presence, saves them as a draft (drafts/form-draft.js), warns before they are lost, and is sent once: by its button, or
 * by Ctrl+S. A field that another user has changed too is decided first (remote/take-over.js).
 *
 * Reads:   <form data-edit-form>; data-unsaved if it came back with values that are not saved; data-base, as JSON the
 *          record's values, if the form shows others; data-entry-label, the part of the record that it edits; controls
 *          with their label in a `.field`; the submit button; [data-change-count] and [data-not-saved];
 *          [data-undecided] on what the user has to decide.
 * Listens: `portal:connection`; `portal:finish`: it saves the changes, or follows the link in .save-bar if there are
 *          none.
 * Fires:   `portal:activity`; `portal:sign-in-wanted` when the user sends it while signed out; `portal:access-lost`
 *          when the user sends it and may no longer save the record.
 *
 * @example <form data-edit-form data-base='{"phone": "020 …"}'><div class="field"><label>…</label><input name="phone"></div></form>
 */
import { fire, on } from "../lib/events.js";
import { query, queryAll } from "../lib/dom.js";
import { changeCountText, changedText, isChanged, isTooLong, reportedName } from "./changes.js";
import { controlNamed, controlsOf } from "./controls.js";
import { followDraft } from "./drafts/form-draft.js";
import { Saving } from "./saving.js";

/**
 * @typedef {Object} FormOptions of a form in a page that stays when the form is saved or left
 * @property {AbortSignal} [signal] ends the tracking
 * @property {(form: HTMLFormElement) => Promise<"sent"|"away"|"unknown">} [send] saves the form. "away": the server could
 *   not be reached; "unknown": the browser must send the form, and show the response
 * @property {() => void} [leave] instead of opening the page to which Cancel leads
 * @property {boolean} [isAside] beside what the page shows, as a new note: presence does not show its fields, and it is
 *   saved by key only from within it
 */

/**
 * @param {HTMLFormElement} form
 * @param {FormOptions} [options]
 */
export function watchForm(form, { signal, send, leave, isAside } = {}) {
	startFromTheRecord(form);
	const onDraftState = (/** @type {import("./drafts/autosave.js").State} */ state) => {
		if (state === "kept") showNotSaved(form, false);
		if (state === "signed-out" && !isSignedOut) fire("sign-in-wanted");
	};
	const draft = followDraft(form, onDraftState, signal);
	let isSignedOut = false;
	const untouched = form.dataset.entryLabel ? [reportedName(form.dataset.entryLabel)] : [];
	let reported = untouched.join(); // by the page's first heartbeat
	let count = 0;

	const follow = () => {
		const changed = markChanges(form);
		count = changed.length;
		const fields = count ? changed.slice(0, 50) : untouched; // as many as a heartbeat may have
		drawCount(form, count);
		if (!isAside && reported !== fields.join()) fire("activity", { activity: "editing", fields });
		reported = fields.join();
		draft.changed();
		countCharacters(form);
	};
	const begin = () => {
		saving.end();
		draft.begin();
		follow();
	};
	const saving = new Saving(form, begin, signal);
	/** Send the form once the draft is saved. If the server could not be reached, the browser would replace the page. */
	const sendWhenReady = async (/** @type {HTMLElement|null} */ submitter) => {
		saving.begin();
		const outcome = await draft.prepare();
		if (outcome === "signed-out") fire("sign-in-wanted");
		if (outcome === "read-only" || outcome === "gone")
			fire("access-lost", { mayRead: outcome === "read-only" });
		showNotSaved(form, outcome === "away");
		if (outcome !== "ready") return saving.end();
		if (isUndecided(form)) {
			begin(); // another user has saved since the user pressed Save
			return leadToUndecided(form);
		}
		// A response can break off. The form is usable again, and the fault is reported.
		const sent = send
			? await send(form).catch((error) => {
					reportError(error);
					return "away";
				})
			: "unknown";
		if (sent === "unknown") return saving.submit(submitter);
		if (sent === "sent") return;
		begin();
		showNotSaved(form, true);
	};

	form.addEventListener("input", follow);
	form.addEventListener("submit", (event) => {
		if (saving.isSubmitting) return;
		const [tooLong] = tooLongIn(form);
		const isReady = !tooLong && !isUndecided(form);
		if (saving.isIdle && !isSignedOut && isReady && draft.isEmpty && !send) return saving.sent();
		event.preventDefault();
		if (!saving.isIdle) return;
		if (tooLong) tooLong.focus();
		else if (!isReady) leadToUndecided(form);
		else if (isSignedOut) fire("sign-in-wanted");
		else sendWhenReady(event.submitter);
	});
	const [cancel] = queryAll(form, ".save-bar a", HTMLAnchorElement);
	/** Ask what becomes of the changes, if there are any, and go on. */
	const askToLeave = async (/** @type {() => void} */ goOn) => {
		if (!count || !cancel || !document.querySelector("[data-leaving]")) return goOn();
		try {
			const { askBeforeLeaving } = await import("./leave-dialog.js");
			askBeforeLeaving(cancel, changeCountText(count), draft, goOn);
		} catch {
			// The server cannot be reached. The browser asks before it opens another page, if the draft is not saved.
			if (leave) showNotSaved(form, true);
			else goOn();
		}
	};
	cancel?.addEventListener("click", (event) => {
		if (!count && !leave) return;
		event.preventDefault();
		askToLeave(leave ?? (() => location.assign(cancel.href)));
	});
	const saveByKey = (/** @type {KeyboardEvent} */ event) => {
		if (!isSaveKey(event) || isElsewhere(form)) return;
		if (isAside && !form.contains(document.activeElement)) return;
		event.preventDefault();
		form.requestSubmit();
	};
	document.addEventListener("keydown", saveByKey, { signal });
	on(
		"connection",
		({ state }) => {
			isSignedOut = state === "signed-out";
			if (state === "online") showNotSaved(form, false);
		},
		signal,
	);
	const finish = () => {
		if (count || "unsaved" in form.dataset) form.requestSubmit();
		else cancel?.click();
	};
	if (!isAside) on("finish", finish, signal);
	const warn = (/** @type {BeforeUnloadEvent} */ event) => {
		if (saving.takesOwnUnload()) return;
		if (!saving.isIdle || !draft.isSafe) event.preventDefault();
	};
	window.addEventListener("beforeunload", warn, { signal });
	// Fires also after the back button, and when the browser has restored what the user had typed.
	window.addEventListener("pageshow", begin, { signal });
	begin();
	return { askToLeave };
}

/** @param {KeyboardEvent} event */
const isSaveKey = ({ key, ctrlKey, metaKey, altKey, shiftKey }) =>
	key.toLowerCase() === "s" && (ctrlKey || metaKey) && !altKey && !shiftKey;

/**
 * Whether the user is in a dialog or in another form.
 * @param {HTMLFormElement} form
 */
function isElsewhere(form) {
	const place = document.activeElement?.closest("form");
	return Boolean(place ? place !== form : document.querySelector("dialog[open]"));
}

/**
 * Whether another user has changed a field too, and the user has not decided.
 * @param {HTMLFormElement} form
 */
const isUndecided = (form) => form.querySelector("[data-undecided]") !== null;

/**
 * Focus the first question.
 * @param {HTMLFormElement} form
 */
export function leadToUndecided(form) {
	const [question] = queryAll(form, "[data-undecided]", HTMLElement);
	question?.focus({ preventScroll: true });
	question?.scrollIntoView({ block: "center" });
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
		counter.textContent = !count && "unsaved" in form.dataset ? "Not saved yet" : changedText(count);
}
