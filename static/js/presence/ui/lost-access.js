/**
 * The page after the user has lost access to its record. It shows nothing of the record, but who restricted it, whom to
 * ask, and what the user has typed, to copy. presence/ui/connection.js imports this module.
 *
 * Reads:  data-lost-url of <presence-page>; forms with data-edit-form, and their data-draft-stored.
 * Markup: templates/presence/_lost.html.
 *
 * @example await showLost(query(this, "[data-lost]", HTMLTemplateElement), { mayRead: false });
 */
import { isChanged } from "../../editing/changes.js";
import { controlsOf } from "../../editing/controls.js";
import { call } from "../../lib/http.js";
import { createElement, query, queryAll, showOnly, setText } from "../../lib/dom.js";
import { loadStylesheet } from "../../lib/lazy.js";
import { setTitle } from "../../lib/page-title.js";

/** @typedef {import("../../editing/controls.js").Control} Control */
/** @typedef {[label: string, text: string][]} Typed */

/**
 * Replace the page's content.
 * @param {HTMLTemplateElement} template
 * @param {{mayRead: boolean}} access mayRead: the user may still read the record, and no longer change it
 */
export async function showLost(template, { mayRead }) {
	loadStylesheet("presence/lost-access").catch(() => {}); // it reads as well without
	const main = query(document, "main", HTMLElement);
	const { lostUrl } = query(document, "presence-page", HTMLElement).dataset;
	const back = queryAll(document, ".save-bar a", HTMLAnchorElement)[0]?.href;
	const typed = queryAll(document, "form[data-edit-form]", HTMLFormElement).flatMap(typedIn);
	const shown = document.importNode(template.content, true);
	showOnly(shown, "when", mayRead ? "read-only" : "gone");
	if (back) query(shown, "[data-back]", HTMLAnchorElement).href = back;
	drawTyped(query(shown, "[data-typed]", HTMLElement), typed);
	const why = query(shown, "[data-why]", HTMLElement);
	main.replaceChildren(shown);
	const heading = query(main, "h1:not([hidden])", HTMLElement);
	setTitle(`${heading.textContent} · Kingston’s Portal`);
	heading.focus();
	if (!mayRead && lostUrl) why.replaceChildren(...(await sentence(lostUrl)));
}

/**
 * Return the labels and texts of what the user has typed.
 * @param {HTMLFormElement} form
 * @returns {Typed}
 */
function typedIn(form) {
	/** @type {Record<string, string>} */
	const carried = JSON.parse(form.dataset.draftStored || "null")?.values ?? {};
	const changed = controlsOf(form).filter(
		(control) => isChanged(control) && control.type !== "radio" && control.type !== "hidden",
	);
	return [
		...Object.entries(carried).map(([name, text]) => /** @type {Typed[0]} */ ([inWords(name), text])),
		...changed.map((control) => /** @type {Typed[0]} */ ([labelOf(control), textOf(control)])),
	];
}

/** @param {Control} control */
const textOf = (control) =>
	control instanceof HTMLSelectElement ? (control.selectedOptions[0]?.text ?? control.value) : control.value;

/** @param {Control} control */
const labelOf = (control) =>
	control.ariaLabel ??
	control.closest(".field")?.querySelector("label")?.textContent.trim() ??
	inWords(control.name);

/**
 * Return "Next review on" for "next_review_on". The conflict page has no label for fields without a conflict.
 * @param {string} name
 */
const inWords = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

/**
 * @param {HTMLElement} section
 * @param {Typed} typed
 */
function drawTyped(section, typed) {
	section.hidden = typed.length === 0;
	query(section, "dl", HTMLElement).append(
		...typed.flatMap(([label, text]) => [
			createElement("dt", {}, label),
			createElement("dd", { className: "prose" }, text),
		]),
	);
	const button = query(section, "button", HTMLButtonElement);
	button.hidden = !navigator.clipboard; // plain HTTP has no clipboard: the user can select the text
	button.addEventListener("click", async () => {
		await navigator.clipboard.writeText(typed.map(([label, text]) => `${label}:\n${text}`).join("\n\n"));
		setText(button, "Copied");
	});
}

/**
 * Return who restricted the record, and whom to ask.
 * @param {string} url
 * @returns {Promise<(Node|string)[]>}
 */
async function sentence(url) {
	try {
		const { by, email, at } = await call("GET", url);
		const time = new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
		if (!by) return [`An operator restricted it at ${time}. Ask an administrator to let you in.`];
		const address = createElement("a", { href: `mailto:${encodeURI(email)}` }, email);
		return [`${by} restricted it at ${time}. Ask `, address, " or an administrator to let you in."];
	} catch {
		return ["Ask an administrator why, and to let you in again."];
	}
}
