// @ts-check
/** The script of the client page alone; main.js is on every page, and defines the elements that this one listens to. */
import { SavedElsewhere } from "./saved-elsewhere.js";

customElements.define("saved-elsewhere", SavedElsewhere);
