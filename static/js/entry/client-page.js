/** The script of pages that show a client record. entry/every-page.js runs before it, and defines <presence-page>. */
import { keptList } from "../clients/kept-list.js";
import { isPlain } from "../lib/dom.js";
import { loadOn, loadStylesheet } from "../lib/lazy.js";
import { isEditing } from "../presence/ui/wording.js";

// Saves of other users are rare, and the module that shows them is a fifth of all scripts.
loadOn(["saved"], () => import("../clients/update-notice.js"));
loadOn(
	["roster", "locate"],
	() => import("../presence/ui/card-presence.js"),
	(detail) => "names" in detail || detail.others.some(isEditing),
);
// The form of a card is loaded when the user wants to edit it. Without its module the link opens the card's editor.
document.addEventListener("click", async (event) => {
	const link = event.target instanceof Element && event.target.closest("a[data-edit-card]");
	if (!(link instanceof HTMLAnchorElement) || !isPlain(event)) return;
	event.preventDefault();
	try {
		const { editCard } = await import("../clients/card-editor.js");
		await editCard(link);
	} catch {
		location.assign(link.href);
	}
});
if (document.querySelector("client-visit")) import("../clients/visit.js");
// Most pages are opened from the list: the way back leads to the view that it showed.
if (keptList()) import("../clients/list-place.js").catch(() => {});
// The form of a new note works without its module, which keeps what is typed. A failed load is tried again at the next key.
const COMPOSER = "form[data-note-composer]";
const openNote = async (/** @type {EventTarget|null} */ target) => {
	const form = target instanceof Element && target.closest(COMPOSER);
	if (!(form instanceof HTMLFormElement)) return;
	const { openComposer } = await import("../clients/notes/composer.js");
	openComposer(form);
};
for (const type of ["focusin", "input"])
	document.addEventListener(type, ({ target }) => openNote(target).catch(() => {}));
openNote(document.querySelector(`${COMPOSER}:is([data-unsaved], :focus-within)`)).catch(() => {});
if (document.querySelector("[data-live=changes]")) import("../clients/unfold-diff.js");

// Until the page is scrolled, the head needs no script. A reload may restore the position before this module runs.
const loadHead = () =>
	Promise.all([loadStylesheet("clients/sticky-head"), import("../clients/sticky-head.js")]);
if (document.querySelector("sticky-head")) {
	if (scrollY) loadHead();
	else addEventListener("scroll", loadHead, { once: true, passive: true });
}
