/** The script of an editor that asks first whether to edit (templates/presence/_direct_edit.html). */
import { query } from "../lib/dom.js";
import { PresencePage } from "../presence/sync/page.js";
import { askOnArrival } from "../presence/ui/arrival.js";
import { PresenceModal } from "../presence/ui/modal.js";

customElements.define("presence-modal", PresenceModal);
askOnArrival(
	query(document, "presence-page", PresencePage),
	query(document, "presence-modal", PresenceModal),
);
