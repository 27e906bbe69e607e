/**
 * What other editors of the form have typed and not saved: below each field the value of each of them, with the buttons
 * that take it over, and "Daniel is typing" beside the label. Taking a value over is typing it: nothing is saved. What
 * the user points at or types in does not move. Loaded with the first unsaved value.
 *
 * Reads:   <form data-shared-form data-merge-url>.
 * Listens: `portal:drafts`, `portal:roster`.
 * Styles:  editing/unsaved.css.
 *
 * @example watchUnsaved(form, document.querySelector("presence-page"));
 */
import { on } from "../../lib/events.js";
import { holdStill } from "../../lib/hold-still.js";
import { myId } from "../../session/session.js";
import { controlNamed } from "../controls.js";
import { namesOf } from "../form.js";
import { setSharing, showColleagues } from "../remote/colleagues.js";
import { isTyping, nextPauseAt, unsavedAfter } from "./state.js";
import { renderRows } from "./rows.js";

/** @typedef {import("./state.js").Unsaved} Unsaved */
/** @typedef {import("../../presence/sync/roster.js").User} User */

/**
 * @param {HTMLFormElement} form
 * @param {import("../../presence/sync/page.js").PresencePage} page
 * @param {AbortSignal} [signal] the form is closed
 */
export function watchUnsaved(form, page, signal) {
	/** @type {Unsaved[]|null} */
	let values = null;
	/** @type {ReturnType<typeof setTimeout>|undefined} */
	let pause;
	const draw = () => {
		const now = Date.now();
		const known = values ?? [];
		holdStill(() => drawFields(form, known, page.others));
		setSharing(sharingOf(form, known, now));
		showColleagues(form, page.others);
		clearTimeout(pause);
		const ms = nextPauseAt(known, now) - now;
		if (ms < Number.POSITIVE_INFINITY) pause = setTimeout(draw, ms);
	};
	on(
		"drafts",
		(event) => {
			const context = { form: form.dataset.sharedForm ?? "", myId: myId(), now: Date.now() };
			values = unsavedAfter(values, event, context);
			draw();
		},
		signal,
	);
	on("roster", draw, signal);
	form.addEventListener("input", draw, { signal }); // a value that both have needs no button
	signal?.addEventListener("abort", () => {
		clearTimeout(pause);
		setSharing(new Map());
	});
}

/**
 * Draw the rows of every field that other users have changed, or that shows rows.
 * @param {HTMLFormElement} form
 * @param {Unsaved[]} values
 * @param {User[]} others
 */
function drawFields(form, values, others) {
	const shown = [...form.querySelectorAll(".unsaved")].flatMap((list) => list.closest(".field") ?? []);
	const fields = new Set([...shown, ...values.flatMap(({ name }) => fieldNamed(form, name) ?? [])]);
	for (const field of fields) {
		const rows = values.flatMap((unsaved) => {
			const user = others.find(({ id }) => id === unsaved.user);
			return user && fieldNamed(form, unsaved.name) === field ? [{ unsaved, user }] : [];
		});
		renderRows(form, field, rows);
	}
}

/**
 * Return by field, as heartbeats name it, whether each user who shares a value is typing.
 * @param {HTMLFormElement} form
 * @param {Unsaved[]} values
 * @param {number} now
 */
function sharingOf(form, values, now) {
	const names = namesOf(form);
	/** @type {Map<string, Map<number, boolean>>} */
	const sharing = new Map();
	for (const unsaved of values) {
		const field = fieldNamed(form, unsaved.name);
		const name = field && names.get(field);
		if (!name) continue;
		sharing.set(name, (sharing.get(name) ?? new Map()).set(unsaved.user, isTyping(unsaved, now)));
	}
	return sharing;
}

/**
 * Return the field of a control; null if the form has none. A list of radio buttons shows no value.
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function fieldNamed(form, name) {
	const control = controlNamed(form, name);
	return control instanceof Element ? control.closest(".field") : null;
}
