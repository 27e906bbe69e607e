/** The script of pages from which the user can open an editor (templates/presence/_page.html). */
import { loadOn, loadStylesheet } from "../lib/lazy.js";
import { fire } from "../lib/events.js";
import { takeNote } from "../lib/tab-notes.js";
import { PresenceModal } from "../presence/ui/modal.js";

customElements.define("presence-modal", PresenceModal);

// Only a user who is not alone can wait. The banner is loaded before that, so that an outage does not prevent waiting.
loadOn(
	["roster", "wait"],
	() => loadStylesheet("presence/queue").then(() => import("../presence/ui/wait-banner.js")),
	(detail) => "href" in detail || detail.others.length > 0,
);

// The user has chosen to wait in the editor, before editing (presence/ui/arrival.js).
const { page = "" } = /** @type {HTMLElement} */ (document.querySelector("presence-page")).dataset;
const href = takeNote("wait", page);
if (href) fire("wait", { href });
