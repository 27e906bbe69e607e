// @ts-check
/** The script of pages that show a client record; main.js is on every page, and defines the elements that this one listens to. */
import { bringFor } from "../lazy.js";

// Somebody else's save is rare, and what shows it is a fifth of all scripts.
bringFor(["saved"], () => import("./saved-elsewhere.js"));
if (document.querySelector("[data-live=changes]")) import("./unfold.js");
