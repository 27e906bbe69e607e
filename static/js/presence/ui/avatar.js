/**
 * Draws viewers: an avatar, a row of avatars, and a list of people.
 * Markup: templates/presence/_person.html, an item of the list.
 *
 * @example renderPeople(query(this, ".viewers", HTMLElement), editorsFirst(others));
 */
import { hueClass, initials } from "../../lib/initials.js";
import { createElement, query, setText } from "../../lib/dom.js";
import { stateOf } from "../sync/roster.js";
import { activityText, fullName, lastSeen, avatarTitle } from "./wording.js";

/** @typedef {import("../sync/roster.js").User} User */

/**
 * Turn an element into the avatar of a user.
 * @param {HTMLElement} element with the user's name beside it
 * @param {User} user
 */
export function renderAvatar(element, user) {
	element.className = `avatar ${hueClass(user.id)} ${stateOf(user)}`;
	element.classList.toggle("away", !user.visible);
	element.title = avatarTitle(user);
	setText(element, initials(user.first_name, user.last_name));
	return element;
}

/**
 * Draw a row of avatars with labels of their own, if it differs from the row shown.
 * @param {HTMLElement} row
 * @param {User[]} others
 */
export function renderAvatars(row, others) {
	const key = JSON.stringify(others.map((user) => [user.id, avatarTitle(user)]));
	if (row.dataset.drawn === key) return;
	row.dataset.drawn = key;
	const rest = others.slice(3);
	const avatars = others.slice(0, 3).map((user) => renderAvatar(createElement("span"), user));
	const title = rest.map(avatarTitle).join(", ");
	if (title) avatars.push(createElement("span", { className: "avatar more", title }, `+${rest.length}`));
	for (const avatar of avatars) Object.assign(avatar, { role: "img", ariaLabel: avatar.title });
	row.replaceChildren(...avatars.map((avatar) => createElement("li", {}, avatar)));
}

/**
 * Draw a list of people. Each user keeps their item, so that scrolling and reading aloud are not interrupted.
 * @param {Element} list with the <template> of an item beside it
 * @param {User[]} users
 * @param {(user: User) => string} [describe] what a user does
 */
export function renderPeople(list, users, describe = activityText) {
	const template = query(/** @type {Element} */ (list.parentElement), "template", HTMLTemplateElement);
	const shown = /** @type {HTMLElement[]} */ ([...list.children]);
	const items = users.map((user) => {
		const known = shown.find(({ dataset }) => dataset.id === `${user.id}`);
		return fillPerson(
			known ?? query(document.importNode(template.content, true), "li", HTMLElement),
			user,
			describe,
		);
	});
	if (items.length !== shown.length || items.some((item, i) => item !== shown[i]))
		list.replaceChildren(...items);
}

/**
 * @param {HTMLElement} item
 * @param {User} user
 * @param {(user: User) => string} describe
 */
function fillPerson(item, user, describe) {
	item.dataset.id = `${user.id}`;
	renderAvatar(query(item, ".avatar", HTMLElement), user);
	setText(query(item, "[data-name]", HTMLElement), fullName(user));
	setText(query(item, "[data-seen]", HTMLElement), lastSeen(user.seconds_ago));
	const place = query(item, "[data-doing]", HTMLElement);
	setText(place.firstElementChild ?? place, describe(user)); // in a button where it leads to the field
	return item;
}
