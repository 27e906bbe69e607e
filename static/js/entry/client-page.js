// @ts-check
/** The script of pages that show a client record; main.js is on every page, and defines the elements that this one listens to. */
import { bringFor } from "../lib/lazy.js";

// Somebody else's save is rare, and what shows it is a fifth of all scripts.
bringFor(["saved"], () => import("../clients/update-notice.js"));
if (document.querySelector("[data-live=changes]")) import("../clients/unfold-diff.js");
