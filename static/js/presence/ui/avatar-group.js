/**
 * Draws the avatars of users in a place that also names them: the field of an editor, the card of a client page.
 *
 * @example renderAvatarGroup(header, "editors", users, "Daniel is editing Phone");
 */
import { createElement } from "../../lib/dom.js";
import { renderAvatar } from "./avatar.js";

const MAX_AVATARS = 3;

/**
 * Show the users at the end of a place, if they differ from those shown there; without users, nothing.
 * @param {Element} place
 * @param {string} className which the group has besides `avatar-group`
 * @param {import("../sync/roster.js").User[]} users
 * @param {string} [text] behind the avatars, if the place does not name the users itself
 */
export function renderAvatarGroup(place, className, users, text = "") {
	const known = place.querySelector(`:scope > .${className}`);
	const key = JSON.stringify([text, ...users.map((user) => [user.id, user.visible])]);
	if (known?.getAttribute("data-key") === key) return;
	known?.remove();
	if (!users.length) return;
	const avatars = users.slice(0, MAX_AVATARS).map((user) => renderAvatar(createElement("span"), user));
	for (const avatar of avatars) avatar.ariaHidden = "true";
	const group = createElement("span", { className: `avatar-group ${className}`, title: text }, ...avatars);
	if (text) group.append(createElement("span", {}, text));
	Object.assign(group.dataset, { key, local: "" }); // local: lib/morph.js leaves it
	place.append(group);
}
