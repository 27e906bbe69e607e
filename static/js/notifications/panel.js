/**
 * The list of notifications below the button of the top bar: the newest ones, as the page /notifications has them. It is
 * fetched each time it opens. Escape, a click elsewhere and the button close it.
 *
 * Reads: the part [data-notifications] of the page to which .bell leads.
 */
import { createElement, query } from "../lib/dom.js";
import { call } from "../lib/http.js";
import { loadStylesheet } from "../lib/lazy.js";
import { fetchPage } from "../lib/live-parts.js";

const MAX_SHOWN = 10;

/** @type {HTMLElement|undefined} */
let panel;
// The press of a pointer on the button closes the panel before the click, which must not open it again.
let wasOpenAtPress = false;

/** @param {HTMLAnchorElement} bell */
export async function toggle(bell) {
	const isOpen = wasOpenAtPress || panel?.matches(":popover-open");
	wasOpenAtPress = false;
	if (isOpen) return panel?.hidePopover();
	panel ??= createPanel(bell);
	try {
		const [list] = await Promise.all([fetchList(bell.href), loadStylesheet("notifications/notifications")]);
		panel.replaceChildren(...list);
		panel.showPopover();
		query(panel, "h2", HTMLElement).focus();
	} catch {
		location.assign(bell.href);
	}
}

/** @param {HTMLAnchorElement} bell */
function createPanel(bell) {
	const created = createElement("section", { className: "notifications-panel", popover: "auto" });
	created.setAttribute("aria-labelledby", "notifications-panel-title");
	bell.setAttribute("aria-expanded", "false");
	created.addEventListener("toggle", (event) => {
		bell.setAttribute("aria-expanded", `${/** @type {ToggleEvent} */ (event).newState === "open"}`);
	});
	bell.addEventListener("pointerdown", () => {
		wasOpenAtPress = created.matches(":popover-open");
	});
	created.addEventListener("submit", (event) => markAllRead(created, event));
	bell.after(created);
	return created;
}

/**
 * Return the contents of the panel: its heading, the newest notifications and the link to all of them.
 * @param {string} href
 */
async function fetchList(href) {
	const list = query(await fetchPage(href, { isUsers: true }), "[data-notifications]", HTMLElement);
	for (const extra of [...list.querySelectorAll("li")].slice(MAX_SHOWN)) extra.remove();
	const heading = createElement("h2", {
		id: "notifications-panel-title",
		tabIndex: -1,
		textContent: "Notifications",
	});
	const all = createElement("a", { className: "all", href, textContent: "All notifications" });
	return [heading, document.adoptNode(list), all];
}

/**
 * @param {HTMLElement} panel
 * @param {SubmitEvent} event
 */
async function markAllRead(panel, event) {
	const form = /** @type {HTMLFormElement} */ (event.target);
	event.preventDefault();
	try {
		await call("POST", new URL(form.action).pathname, { body: {} });
	} catch {
		return form.submit();
	}
	form.remove();
	for (const unread of panel.querySelectorAll("li.unread")) {
		unread.classList.remove("unread");
		unread.querySelector(".what > .visually-hidden")?.remove();
	}
	query(panel, "h2", HTMLElement).focus();
}
