// @ts-check
/** The script of pages that show a client record; main.js is on every page, and defines the elements that this one listens to. */
import { SavedElsewhere } from "./saved-elsewhere.js";

customElements.define("saved-elsewhere", SavedElsewhere);
if (document.querySelector("[data-live=changes]")) import("./unfold.js");
