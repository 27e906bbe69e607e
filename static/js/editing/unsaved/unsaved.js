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
import { controlNamed, fieldOf } from "../controls.js";
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
	const drawRows = () => holdStill(() => drawFields(form, values ?? [], page.others));
	const draw = () => {
		const now = Date.now();
		const known = values ?? [];
		drawRows();
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
	on("roster", drawRows, signal);
	form.addEventListener("input", drawRows, { signal }); // a value that both have needs no button
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
	/** @type {Map<Element, import("./rows.js").Row[]>} */
	const rows = new Map();
	for (const field of form.querySelectorAll(".field:has(.unsaved)")) rows.set(field, []);
	for (const unsaved of values) {
		const field = fieldOf(controlNamed(form, unsaved.name));
		const user = others.find(({ id }) => id === unsaved.user);
		if (field && user) rows.set(field, [...(rows.get(field) ?? []), { unsaved, user }]);
	}
	for (const [field, shown] of rows) renderRows(form, field, shown);
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
		const field = fieldOf(controlNamed(form, unsaved.name));
		const name = field && names.get(field);
		if (!name) continue;
		sharing.set(name, (sharing.get(name) ?? new Map()).set(unsaved.user, isTyping(unsaved, now)));
	}
	return sharing;
}
