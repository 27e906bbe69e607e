// @ts-check
/**
 * Keeps the keyboard's place. Where a script removes or hides what has the focus, the browser gives it to the body: who
 * works by keyboard or by ear starts at the top again. Here the nearest control that is left takes it, then where the
 * focus was before, then the heading. entry/every-page.js imports this with the first focus.
 */

const CONTROLS = "a[href], button, input, select, textarea, summary";
const MAX_REMEMBERED = 10;

/** what has the focus, then its ancestors within <main> @type {HTMLElement[]} */
let path = [];
/** the latest first @type {HTMLElement[]} */
let earlier = [];

document.addEventListener("focusin", ({ target }) => remember(/** @type {HTMLElement} */ (target)));
document.addEventListener("focusout", forgetWhatTheUserLeft);
const observer = new MutationObserver(restoreFocus);
observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ["hidden", "open"] });
remember(/** @type {HTMLElement} */ (document.activeElement));

/** Moves the focus to the heading: the page has opened by itself. */
export function focusHeading() {
	const heading = /** @type {HTMLElement} */ (document.querySelector("main h1"));
	heading.tabIndex = -1;
	heading.focus();
}

function remember(element) {
	if (element.closest("body > *")) {
		earlier = [element, ...earlier.filter((each) => each !== element)].slice(0, MAX_REMEMBERED);
		path = ancestors(element);
	}
}

function ancestors(element) {
	const found = [];
	for (let each = element; !each.matches("body, main"); each = each.parentElement) found.push(each);
	return found;
}

/** A click beside every control gives the focus up. Looked at later, for a removal fires this event too. */
function forgetWhatTheUserLeft({ target }) {
	queueMicrotask(() => {
		if (document.activeElement === document.body && isThere(target)) path = [];
	});
}

function restoreFocus() {
	if (!path.length || isThere(path[0])) return;
	const near = path.filter(isThere).flatMap((part) => [...part.querySelectorAll(CONTROLS)]);
	const goal = [...near, ...earlier].find(isThere);
	if (goal) /** @type {HTMLElement} */ (goal).focus({ preventScroll: true });
	else focusHeading();
}

const isThere = (element) => element.isConnected && element.checkVisibility();
