// @ts-check
/** The script of pages where one looks at a record and may wish to edit it: templates/presence/_page.html brings it. */
import { PresenceModal } from "../presence/ui/modal.js";
import { PresenceWaiting } from "../presence/ui/waiting.js";

customElements.define("presence-modal", PresenceModal);
customElements.define("presence-waiting", PresenceWaiting);
