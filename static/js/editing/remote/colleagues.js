/**
 * Reports in which field of an editor the user is, and shows in which fields the other users are: their avatars and
 * "Daniel is here" beside the label, and a ring of the first one's colour around the control. The line of the label has
 * the space, so that nothing moves. Loaded while there are other users: alone, the user reports nothing.
 *
 * Fires: `portal:activity`.
 *
 * @example showColleagues(form, others);
 */
import { fire } from "../../lib/events.js";
import { query, queryAll } from "../../lib/dom.js";
import { hueClass } from "../../lib/initials.js";
import { loadStylesheet } from "../../lib/lazy.js";
import { renderAvatarGroup } from "../../presence/ui/avatar-group.js";
import { nameOf, namesOf } from "../form.js";
import { setNote } from "./field-notes.js";
import { usersIn, whoIsIn } from "./wording.js";

loadStylesheet("presence/field-presence").catch(() => {}); // without it the names are shown all the same

/** @type {Map<string, Map<number, boolean>>} by field: whether each user who shares a value of it is typing */
let sharing = new Map();

/** @typedef {import("../../presence/sync/roster.js").User} User */

/**
 * Report the field that has the keyboard focus. If the window loses the focus, the field stays the user's place.
 * @param {HTMLFormElement} form
 */
export function reportFocus(form) {
	const report = (/** @type {EventTarget|null} */ target) => {
		const field = target instanceof Element && form.contains(target) && target.closest(".field");
		fire("activity", { focus: field ? nameOf(form, field) : null });
	};
	form.addEventListener("focusin", ({ target }) => report(target));
	form.addEventListener("focusout", ({ relatedTarget }) => {
		if (!relatedTarget && document.hasFocus()) report(null);
	});
	if (form.contains(document.activeElement)) report(document.activeElement);
}

/**
 * Mark the fields in which other users are, or which they have changed.
 * @param {HTMLFormElement} form
 * @param {User[]} others
 */
export function showColleagues(form, others) {
	for (const [field, name] of namesOf(form)) {
		const users = usersIn(others, name);
		setNote(field, whoIsIn(users, name, sharing.get(name)));
		renderAvatarGroup(query(field, ".field-head", HTMLElement), "colleagues", users);
		const first = users.find(({ focus }) => focus === name);
		field.classList.remove(...[...field.classList].filter((each) => each.startsWith("hue-")));
		field.classList.toggle("has-colleague", Boolean(first));
		if (first) field.classList.add(hueClass(first.id));
	}
}

/**
 * Say from now on who is typing in which field (unsaved/unsaved.js).
 * @param {typeof sharing} now
 */
export function setSharing(now) {
	sharing = now;
}

/**
 * Focus the first of these fields that the form has.
 * @param {HTMLFormElement} form
 * @param {string[]} names
 */
export function locate(form, names) {
	for (const [field, name] of namesOf(form)) {
		if (!names.includes(name)) continue;
		queryAll(field, "input, select, textarea", HTMLElement)[0]?.focus();
		return;
	}
}
