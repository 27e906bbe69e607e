// @ts-check
/** The script of pages that show a client record. entry/every-page.js runs before it, and defines <presence-page>. */
import { bringFor } from "../lib/lazy.js";

// Saves of other users are rare, and the module that shows them is a fifth of all scripts.
bringFor(["saved"], () => import("../clients/update-notice.js"));
if (document.querySelector("[data-live=changes]")) import("../clients/unfold-diff.js");
