// @ts-check
/** The script of the client list alone. */
import { PresenceDots } from "../presence/list.js";

customElements.define("presence-dots", PresenceDots);
