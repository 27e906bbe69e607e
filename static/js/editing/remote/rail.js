/**
 * The column beside an editor: who is here, with what each of them does, and what they have saved since the page was
 * opened. Each name leads to its field. The save bar has the avatars, also where the window has no room for the column.
 *
 * Reads:   [data-rail] with [data-here-now] and [data-just-saved]; [data-also-here] of the form.
 * Fires:   `portal:locate`.
 * Markup:  templates/editing/_rail.html. The styles are in editing/rail.css.
 *
 * @example followRail(form).showOthers(others, users);
 */
import { createElement, makeScrollable, query, queryAll } from "../../lib/dom.js";
import { fire } from "../../lib/events.js";
import { hueClass, initials } from "../../lib/initials.js";
import { renderAvatar, renderAvatars } from "../../presence/ui/avatar.js";
import { myId } from "../../session/session.js";
import { activityOf } from "../../presence/ui/queue-wording.js";
import { editedNames, editorsFirst, fullName } from "../../presence/ui/wording.js";
import { controlNamed, fieldOf } from "../controls.js";
import { nameOf, namesOf } from "../form.js";
import { controlNameOf, latestSaves } from "./revisions.js";
import { renderSavedAt } from "./saved-at.js";
import { arrivedFrom, shownFields } from "./wording.js";

/** @typedef {import("../../presence/sync/roster.js").User} User */
/** @typedef {import("./revisions.js").Revision} Revision */

/** @param {HTMLFormElement} form */
export function followRail(form) {
	/** @type {Revision[]} the newest first */
	let saves = [];
	for (const rail of queryAll(document, "[data-rail]", HTMLElement)) {
		const observer = new ResizeObserver(() => makeScrollable(rail));
		for (const element of [rail, ...rail.children]) observer.observe(element);
	}
	return {
		/**
		 * @param {User[]} others
		 * @param {User[]} users all users of the page, among whom those who wait have their places
		 */
		showOthers: (others, users) => {
			const shown = editorsFirst(others);
			for (const row of queryAll(form, "[data-also-here]", HTMLElement)) {
				renderAvatars(row, shown);
				row.hidden = !shown.length;
			}
			const key = JSON.stringify(shown.map((user) => [user.id, user.visible, activityOf(user, users)]));
			fill("[data-here-now]", key, () => shown.map((user) => renderUser(form, user, users)));
		},
		/** @param {Revision[]} revisions oldest first */
		showSaved: (revisions) => {
			saves = latestSaves(saves, revisions, myId());
			const key = `${saves.map(({ version }) => version)}`;
			fill("[data-just-saved]", key, () => saves.map((revision) => renderSave(form, revision)));
		},
	};
}

/**
 * Show the items in a list of the rail, unless it has them already, and hide it without items.
 * @param {string} selector
 * @param {string} key of what the items show
 * @param {() => HTMLLIElement[]} render returns the items
 */
function fill(selector, key, render) {
	for (const list of queryAll(document, selector, HTMLElement)) {
		if (list.dataset.key === key) continue;
		list.dataset.key = key;
		list.replaceChildren(...render());
		const section = /** @type {HTMLElement} */ (list.parentElement);
		section.hidden = !list.children.length;
		const rail = /** @type {HTMLElement} */ (section.parentElement);
		rail.hidden = !queryAll(rail, ":scope > :not([hidden])", HTMLElement).length;
	}
}

/**
 * @param {HTMLFormElement} form
 * @param {User} user
 * @param {User[]} users
 */
function renderUser(form, user, users) {
	const avatar = renderAvatar(createElement("span", { ariaHidden: "true" }), user);
	const edited = editedNames(user);
	const [field] = [...namesOf(form)].find(([, name]) => edited.includes(name)) ?? [];
	const name = renderLink(form, field ?? null, fullName(user));
	const what = createElement("small", {}, activityOf(user, users));
	return createElement("li", {}, avatar, createElement("span", {}, name, what));
}

/**
 * @param {HTMLFormElement} form
 * @param {Revision} revision
 */
function renderSave(form, revision) {
	const { by, by_id, at } = revision;
	const avatar = createElement("span", { className: "avatar plain", ariaHidden: "true" }, "·");
	if (by && by_id !== null) {
		avatar.classList.add(hueClass(by_id));
		const names = by.split(" ");
		avatar.textContent = initials(names[0], names.slice(1).join(" "));
	}
	const { shown, more } = shownFields(revision.fields);
	const links = shown.flatMap(({ key, label }, i) => [
		i ? ", " : "",
		renderLink(form, fieldOf(controlNamed(form, controlNameOf(form.dataset.entry ?? "", key))), label),
	]);
	const end = more ? ` and ${more} more` : "";
	const what = createElement("span", {}, `${arrivedFrom(revision, 0)}: `, ...links, end);
	const when = createElement("small", {}, renderSavedAt(at));
	return createElement("li", {}, avatar, createElement("span", {}, what, when));
}

/**
 * Return a link to a field; without one the text alone.
 * @param {HTMLFormElement} form
 * @param {Element|null} field
 * @param {string} text
 */
function renderLink(form, field, text) {
	if (!field) return createElement("span", {}, text);
	const control = query(field, "input, select, textarea", HTMLElement);
	const names = [nameOf(form, field)];
	const link = createElement("a", { href: `#${control.id}` }, text);
	link.addEventListener("click", (event) => {
		event.preventDefault();
		fire("locate", { names });
	});
	return link;
}
