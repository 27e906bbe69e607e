/** The script of pages that show a client record. entry/every-page.js runs before it, and defines <presence-page>. */
import { loadOn } from "../lib/lazy.js";
import { isEditing } from "../presence/ui/wording.js";

// Saves of other users are rare, and the module that shows them is a fifth of all scripts.
loadOn(["saved"], () => import("../clients/update-notice.js"));
loadOn(
	["roster", "locate"],
	() => import("../presence/ui/card-presence.js"),
	(detail) => "names" in detail || detail.others.some(isEditing),
);
if (document.querySelector("[data-live=changes]")) import("../clients/unfold-diff.js");
