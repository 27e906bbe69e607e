/** The script of the client list. */
import { PresenceDots } from "../presence/ui/dots.js";

customElements.define("presence-dots", PresenceDots);
