/**
 * The form of a note. What the user types is kept as a draft, and a new note is added to its client page without loading
 * a page. A correction loads one. The form collides with nothing, so it is no editing for presence.
 *
 * Reads:  <form data-note-composer="new" data-mentionable data-draft-url data-base>, its hidden `version`, `draft` and `restored`.
 * Fires:  `portal:saved`.
 * Markup: templates/clients/notes/_composer.html.
 *
 * @example openComposer(form);
 */
import { enhanceDateField } from "../../editing/date-fields.js";
import { watchForm } from "../../editing/form.js";
import { postForm } from "../../editing/post-form.js";
import { leaveOutOwn, waitForOwnSave } from "../../editing/remote/poll.js";
import { createElement, query, queryAll } from "../../lib/dom.js";
import { fire } from "../../lib/events.js";
import { HttpError } from "../../lib/http.js";
import { loadStylesheet } from "../../lib/lazy.js";
import { parsePage, refreshLiveParts, showLiveParts } from "../../lib/live-parts.js";

/** @type {WeakSet<HTMLFormElement>} */
const opened = new WeakSet();

/**
 * Follow what the user types, also what was typed before this module was loaded.
 * @param {HTMLFormElement} form
 */
export function openComposer(form) {
	if (opened.has(form)) return;
	opened.add(form);
	loadStylesheet("editing/typed-fields").catch(() => {});
	for (const day of queryAll(form, "[data-day]", HTMLInputElement)) enhanceDateField(day);
	const text = query(form, "textarea", HTMLTextAreaElement);
	const offerUsers = async () => {
		if (!text.value.includes("@")) return;
		text.removeEventListener("input", offerUsers);
		// Browsers report a module that they cannot load as a TypeError.
		const loading = import("./mentions.js").catch(nullFor(TypeError));
		await loadStylesheet("clients/mentions").catch(() => {});
		const mentions = await loading;
		const offering = mentions?.offerMentions(text, form.dataset.mentionable ?? "").then(() => true);
		if (!(await offering?.catch(nullFor(HttpError)))) text.addEventListener("input", offerUsers); // the next key tries again
	};
	text.addEventListener("input", offerUsers);
	offerUsers();
	const controller = new AbortController();
	const add = form.dataset.noteComposer ? () => send(form, controller) : undefined;
	watchForm(form, { signal: controller.signal, isAside: true, send: add });
}

/**
 * Return a handler of rejections: null for an error of this type, which says that the server cannot be reached. Any other
 * error is a fault of the script. It is thrown again, so that it is reported.
 * @param {new (...values: any[]) => Error} type
 */
const nullFor = (type) => (/** @type {unknown} */ error) => {
	if (error instanceof type) return null;
	throw error;
};

/**
 * Add the note, and show the page's answer. The browser sends the form itself, and shows the page, for any other response.
 * @param {HTMLFormElement} form
 * @param {AbortController} controller ends the listeners of the form
 * @returns {Promise<"sent"|"away"|"unknown">}
 */
async function send(form, controller) {
	const sending = postForm(form);
	waitForOwnSave(sending);
	const response = await sending;
	if (!response) return "away";
	const isAdded = response.redirected && response.ok && new URL(response.url).pathname === location.pathname;
	if (!isAdded && response.status !== 422) return "unknown";
	const fresh = await parsePage(response);
	const next = document.importNode(query(fresh, "form[data-note-composer]", HTMLFormElement), true);
	controller.abort();
	form.replaceWith(next);
	if (isAdded) await showAdded(next, fresh);
	openComposer(next);
	query(next, isAdded ? "textarea" : ".has-error :is(input, select, textarea)", HTMLElement).focus();
	return "sent";
}

/**
 * @param {HTMLFormElement} form that is empty again
 * @param {Document} fresh the client page without filters
 */
async function showAdded(form, fresh) {
	const message = createElement("p", { className: "flash", role: "status" });
	form.prepend(message);
	form.addEventListener("input", () => message.remove(), { once: true });
	requestAnimationFrame(() => message.append("The note is added."));
	const version = Number(query(fresh, "presence-page", HTMLElement).dataset.version);
	leaveOutOwn(version);
	if (location.search) await refreshLiveParts(location.href).catch(() => {});
	else showLiveParts(fresh);
	fire("saved", { version });
}
