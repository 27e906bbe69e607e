/**
 * Completes the names of users after an `@` in the text of a note: a combobox whose list is below the text. Arrow keys
 * choose, Enter and Tab accept, Escape closes. The focus stays in the text. composer.js loads it with the first `@`.
 *
 * Reads:  the URL of the users who may see the client.
 * Styles: clients/mentions.css.
 *
 * @example offerMentions(textarea, "/clients/42/notes/mentionable");
 */
import { createElement, queryAll, setText } from "../../lib/dom.js";
import { call } from "../../lib/http.js";
import { mentionAt, usersFor } from "./mention-text.js";

/** @typedef {import("./mention-text.js").User} User */

let lists = 0;

/**
 * @param {HTMLTextAreaElement} text
 * @param {string} url
 * @throws {import("../../lib/http.js").HttpError} if the users cannot be fetched
 */
export async function offerMentions(text, url) {
	/** @type {{users: User[]}} */
	const { users } = await call("GET", url);
	const list = createElement("ul", {
		className: "mention-list",
		role: "listbox",
		ariaLabel: "Users",
		hidden: true,
	});
	list.id = `mention-list-${++lists}`;
	const message = createElement("p", { className: "visually-hidden", role: "status" });
	text.after(list, message);
	// HTML allows no role of combobox for a textarea, so a message says that the list is open.
	text.setAttribute("aria-autocomplete", "list");
	text.setAttribute("aria-controls", list.id);
	text.ariaHasPopup = "listbox";
	let active = 0;
	const options = () => queryAll(list, "li", HTMLElement);
	const close = () => {
		list.hidden = true;
		message.textContent = "";
		text.removeAttribute("aria-activedescendant");
	};
	const activate = (/** @type {number} */ next) => {
		const all = options();
		active = (next + all.length) % all.length;
		for (const [i, option] of all.entries()) option.ariaSelected = `${i === active}`;
		text.setAttribute("aria-activedescendant", all[active].id);
		all[active].scrollIntoView({ block: "nearest" });
	};
	const accept = (/** @type {string} */ mention) => {
		const found = mentionAt(text.value, text.selectionStart);
		if (found) text.setRangeText(`@${mention} `, found.start, text.selectionStart, "end");
		close();
		text.dispatchEvent(new Event("input", { bubbles: true }));
	};
	const show = () => {
		const found = mentionAt(text.value, text.selectionStart);
		const shown = found && document.activeElement === text ? usersFor(users, found.typed) : [];
		if (!shown.length) return close();
		list.replaceChildren(
			...shown.map(({ name, mention }, i) => {
				const label = name === mention ? name : `${name} (${mention})`;
				const option = createElement("li", { id: `${list.id}-${i}`, role: "option", textContent: label });
				option.dataset.mention = mention;
				return option;
			}),
		);
		list.hidden = false;
		const noun = shown.length === 1 ? "user" : "users";
		setText(message, `${shown.length} ${noun}: arrow keys choose, Enter accepts`);
		activate(0);
	};
	text.addEventListener("input", show);
	text.addEventListener("click", show);
	text.addEventListener("blur", close);
	text.addEventListener("keydown", (event) => {
		if (list.hidden || event.isComposing) return;
		const { key } = event;
		if (key === "ArrowDown") activate(active + 1);
		else if (key === "ArrowUp") activate(active - 1);
		else if (key === "Enter" || key === "Tab") accept(options()[active].dataset.mention ?? "");
		else if (key === "Escape") close();
		else return;
		event.preventDefault();
	});
	// Not "click": the text would lose the focus before it.
	list.addEventListener("pointerdown", (event) => {
		event.preventDefault();
		const option = event.target instanceof Element && event.target.closest("li");
		if (option instanceof HTMLElement) accept(option.dataset.mention ?? "");
	});
	show();
}
