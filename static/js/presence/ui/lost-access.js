// @ts-check
/**
 * The page of somebody who has lost what it shows: nothing of the record any more; who took it away and whom to ask; and
 * what they typed, to be copied. presence/ui/connection.js brings it.
 *
 * Reads:  data-lost-url of <presence-page>; forms with data-edit-form, their data-draft-kept. Markup: templates/presence/_lost.html.
 */
import { isChanged } from "../../editing/changes.js";
import { call } from "../../lib/http.js";
import { make, showOnly, write } from "../../lib/dom.js";
import { retitle } from "../../lib/page-title.js";

/**
 * @param {HTMLTemplateElement} template
 * @param {{mayRead: boolean}} what mayRead: the record may still be looked at, and no longer be changed
 */
export async function showLost(template, { mayRead }) {
	const main = document.querySelector("main");
	const lostUrl = /** @type {HTMLElement} */ (document.querySelector("presence-page")).dataset.lostUrl;
	const back = /** @type {HTMLAnchorElement|null} */ (document.querySelector(".save-bar a"))?.href;
	const typed = [...document.querySelectorAll("form[data-edit-form]")].flatMap(typedIn);
	const shown = document.importNode(template.content, true);
	showOnly(/** @type {any} */ (shown), "when", mayRead ? "read-only" : "gone");
	if (back) /** @type {HTMLAnchorElement} */ (shown.querySelector("[data-back]")).href = back;
	drawTyped(shown.querySelector("[data-typed]"), typed);
	const why = shown.querySelector("[data-why]");
	main.replaceChildren(shown);
	const heading = main.querySelector("h1:not([hidden])");
	retitle(`${heading.textContent} · Kingston’s Portal`);
	/** @type {HTMLElement} */ (heading).focus();
	if (!mayRead && lostUrl) why.replaceChildren(...(await sentence(lostUrl)));
}

/** Label and text of what is typed. */
function typedIn(form) {
	const changed = [...form.elements].filter((control) => control.name && isChanged(control));
	const carried = JSON.parse(form.dataset.draftKept || "null")?.values ?? {};
	return [
		...Object.entries(carried).map(([name, text]) => [inWords(name), text]),
		...changed
			.filter(({ type }) => type !== "radio" && type !== "hidden")
			.map((control) => [labelOf(control), control.selectedOptions?.[0]?.text ?? control.value]),
	];
}

const labelOf = (control) =>
	control.ariaLabel ??
	control.closest(".field")?.querySelector("label").textContent.trim() ??
	inWords(control.name);

/** "Next review on" for "next_review_on": a page of decisions has no label for what it does not ask about. */
const inWords = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

function drawTyped(section, typed) {
	section.hidden = typed.length === 0;
	section
		.querySelector("dl")
		.append(
			...typed.flatMap(([label, text]) => [make("dt", {}, label), make("dd", { className: "prose" }, text)]),
		);
	const button = section.querySelector("button");
	button.hidden = !navigator.clipboard; // plain HTTP has none: the text is there to be marked
	button.addEventListener("click", async () => {
		await navigator.clipboard.writeText(typed.map(([label, text]) => `${label}:\n${text}`).join("\n\n"));
		write(button, "Copied");
	});
}

/** Who restricted the record, and how to ask. @returns {Promise<(Node|string)[]>} */
async function sentence(url) {
	try {
		const { by, email, at } = await call("GET", url);
		const time = new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
		if (!by) return [`An operator restricted it at ${time}. Ask an administrator to let you in.`];
		const address = make("a", { href: `mailto:${encodeURI(email)}` }, email);
		return [`${by} restricted it at ${time}. Ask `, address, " or an administrator to let you in."];
	} catch {
		return ["Ask an administrator why, and to let you in again."];
	}
}
