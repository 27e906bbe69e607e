// @ts-check
/** The one script of every page: gives the portal's elements their behaviour. */
import { watchForm } from "./editing/form.js";
import { PresenceConnection } from "./presence/connection.js";
import { PresenceIndicator } from "./presence/indicator.js";
import { PresenceDots } from "./presence/list.js";
import { PresenceModal } from "./presence/modal.js";
import { PresencePage } from "./presence/page.js";
import { ToastRegion } from "./presence/toasts.js";
import { PresenceWaiting } from "./presence/waiting.js";

// Those that listen come before the page that speaks and the forms that report to it.
customElements.define("toast-region", ToastRegion);
customElements.define("presence-indicator", PresenceIndicator);
customElements.define("presence-connection", PresenceConnection);
customElements.define("presence-modal", PresenceModal);
customElements.define("presence-waiting", PresenceWaiting);
customElements.define("presence-page", PresencePage);
customElements.define("presence-dots", PresenceDots);
document.querySelectorAll("form[data-edit-form]").forEach(watchForm);
