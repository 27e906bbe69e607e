/**
 * Edits one card of a client page in the card's place. The form is that of the card's own editor, which the link opens
 * without JavaScript, and it is saved, kept as a draft and merged in the same way. One card is open at a time. While it
 * is, the tab edits: other users see in which field the user is.
 *
 * Reads:   <a data-edit-card href>, the link of a card or of a draft of one; data-card on the cards; <presence-modal>,
 *          which asks first; the editor's page (templates/clients/editor/edit.html).
 * Sets:    data-activity of <presence-page>.
 * Fires:   `portal:activity`, `portal:saved`.
 *
 * @example await editCard(link);
 */
import { fire } from "../lib/events.js";
import { createElement, query, queryAll } from "../lib/dom.js";
import { HttpError } from "../lib/http.js";
import { loadStylesheet } from "../lib/lazy.js";
import { fetchPage, parsePage, refreshLiveParts, showLiveParts } from "../lib/live-parts.js";
import { takeNote } from "../lib/tab-notes.js";
import { firstControl } from "../editing/controls.js";
import { openForm } from "../editing/open-form.js";
import { postForm } from "../editing/post-form.js";
import { leaveOutOwn, waitForOwnSave } from "../editing/remote/poll.js";
import { leaveAnswer, VIEWING, withProceeded } from "../presence/sync/answered.js";

/** @typedef {import("../presence/sync/page.js").PresencePage} PresencePage */
/** @typedef {import("../presence/ui/modal.js").PresenceModal} PresenceModal */
/**
 * @typedef {Object} OpenCard
 * @property {HTMLElement} place which has the form, behind the card
 * @property {AbortController} controller ends the form's listeners
 * @property {(goOn: () => void) => Promise<void>} askToLeave
 */

const STYLESHEETS = ["editing/editor", "editing/typed-fields", "clients/card-editor"];
// What of the editor's page belongs to the form: the offers of drafts, the dialog of Cancel, the summary of the errors.
const PARTS = ".draft-offer, [data-leaving], .error-summary, form[data-edit-form]";

/** @type {OpenCard|null} */
let open = null;
let isOpening = false;

/**
 * Ask whether to edit if other users are here, and open the card of the link. If it cannot be loaded, open its editor.
 * @param {HTMLAnchorElement} link
 */
export async function editCard(link) {
	if (isOpening) return;
	if (isOpen(link)) return focusFirst(link.href);
	const modal = /** @type {PresenceModal} */ (document.querySelector("presence-modal"));
	const answer = await modal.ask(link);
	if (answer === "" || answer === "wait") return;
	const href = answer === "proceed" ? withProceeded(link.href) : link.href;
	const openIt = async () => {
		isOpening = true;
		await openCard(link.dataset.editCard ?? "", href).catch(() => {
			if (answer === "proceed") leaveAnswer(page().page);
			location.assign(href);
		});
		isOpening = false;
	};
	if (!open) return openIt();
	await open.askToLeave(() => {
		close();
		openIt();
	});
}

/**
 * @param {string} card
 * @param {string} href of the card's editor
 * @throws {HttpError}
 */
async function openCard(card, href) {
	const [fresh] = await Promise.all([fetchPage(href, { isUsers: true }), ...STYLESHEETS.map(loadStylesheet)]);
	if (!fresh.querySelector("form[data-edit-form]")) throw new HttpError(0, href);
	document.querySelector(".card-saved")?.remove();
	const place = createElement("div", { className: "card-editor" });
	query(document, `[data-card="${card}"]`, HTMLElement).after(place);
	place.addEventListener("keydown", (event) => {
		if (event.key === "Escape" && !event.defaultPrevented && !event.isComposing)
			query(place, ".save-bar a", HTMLAnchorElement).click();
	});
	page().dataset.activity = "editing";
	fire("activity", { activity: "editing", fields: [], focus: null });
	show(place, fresh, href);
}

/**
 * Show the form of the editor's page, and open it.
 * @param {HTMLElement} place
 * @param {Document} fresh the editor's page
 * @param {string} href
 */
function show(place, fresh, href) {
	open?.controller.abort();
	const banner = query(document, "nudge-banner", HTMLElement); // the page has one, which the form takes
	putBack(banner);
	place.replaceChildren(...[...fresh.querySelectorAll(PARTS)].map((part) => document.importNode(part, true)));
	const form = query(place, "form[data-edit-form]", HTMLFormElement);
	form.querySelector("nudge-banner")?.replaceWith(banner);
	form.action = href;
	const controller = new AbortController();
	const leave = () => {
		close();
		refreshLiveParts(location.href).catch(() => {}); // the user's drafts; the next save shows them too
	};
	const options = { signal: controller.signal, send: () => send(form), leave };
	open = { place, controller, ...openForm(form, page(), options) };
	const [message] = queryAll(place, "[autofocus]", HTMLElement);
	if (message) message.focus();
	else focusFirst(href);
}

/**
 * Whether the link is that of the open card, as of another figure of it. A link of a draft is not.
 * @param {HTMLAnchorElement} link
 */
const isOpen = (link) => open?.place.previousElementSibling?.contains(link) ?? false;

/**
 * Focus the field that the URL names, or the first one.
 * @param {string} href
 */
function focusFirst(href) {
	if (open) firstControl(open.place, new URL(href).hash)?.focus();
}

/** Put the card back, with the focus on its link. */
function close() {
	if (!open) return;
	const { place, controller } = open;
	open = null;
	controller.abort();
	const card = /** @type {HTMLElement} */ (place.previousElementSibling);
	putBack(query(document, "nudge-banner", HTMLElement));
	place.remove();
	page().dataset.activity = "viewing";
	takeNote("done", page().page); // it was for the client page, which is here
	fire("activity", VIEWING);
	/** @type {HTMLElement|null} */ (card.querySelector("[data-edit-card]"))?.focus();
	return card;
}

/**
 * Move the request of a user who waits from the form to its position on the page.
 * @param {HTMLElement} banner
 */
const putBack = (banner) => query(page(), "presence-connection", HTMLElement).after(banner);

/**
 * Save the form, and show the result. A conflict and any other response is for the browser, which sends the form again
 * and shows the page.
 * @param {HTMLFormElement} form
 * @returns {Promise<"sent"|"away"|"unknown">}
 */
async function send(form) {
	const sending = postForm(form);
	waitForOwnSave(sending);
	const response = await sending;
	if (!response) return "away";
	const { status, redirected, url } = response;
	const isSaved = redirected && response.ok && new URL(url).pathname === location.pathname;
	if (!isSaved && status !== 422) return "unknown";
	const fresh = await parsePage(response);
	if (isSaved) showSaved(fresh);
	else if (open) show(open.place, fresh, form.action);
	return "sent";
}

/** @param {Document} fresh the client page with the saved values */
function showSaved(fresh) {
	const version = Number(fresh.querySelector("presence-page")?.getAttribute("data-version"));
	leaveOutOwn(version);
	const card = close();
	showLiveParts(fresh);
	const text = fresh.querySelector(".flash")?.textContent?.trim() ?? "Saved.";
	const message = createElement("p", { className: "flash card-saved", role: "status" });
	card?.before(message);
	requestAnimationFrame(() => message.append(text)); // a live region announces what it gets after it is there
	fire("saved", { version });
}

const page = () => /** @type {PresencePage} */ (document.querySelector("presence-page"));
