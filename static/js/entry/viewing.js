/** The script of pages from which the user can open an editor (templates/presence/_page.html). */
import { PresenceModal } from "../presence/ui/modal.js";
import { WaitBanner } from "../presence/ui/wait-banner.js";

customElements.define("presence-modal", PresenceModal);
customElements.define("wait-banner", WaitBanner);
