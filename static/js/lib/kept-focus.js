/**
 * Keeps the keyboard's place. When a script removes or hides the element that has the focus, the browser moves the
 * focus to the body, and users of a keyboard or a screen reader start at the top again. This module moves the focus to
 * the nearest control that is left, else to where the focus was before, else to the heading. entry/every-page.js
 * imports it.
 */

const CONTROLS = "a[href], button, input, select, textarea, summary";
const MAX_REMEMBERED = 10;

/** @type {Element[]} the element that has the focus, then its ancestors inside <main> */
let path = [];
/** @type {Element[]} the elements that had the focus, the latest first */
let earlier = [];

document.addEventListener("focusin", ({ target }) => remember(target));
document.addEventListener("focusout", ({ target }) => forgetWhenGivenUp(target));
const observer = new MutationObserver(restoreFocus);
observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ["hidden", "open"] });
remember(document.activeElement);

/** Move the focus to the heading, because the page has opened without an action of the user. */
export function focusHeading() {
	const heading = document.querySelector("main h1");
	if (!(heading instanceof HTMLElement)) return;
	heading.tabIndex = -1;
	heading.focus();
}

/** @param {EventTarget|null} target */
function remember(target) {
	if (!(target instanceof Element) || target === document.body) return;
	earlier = [target, ...earlier.filter((element) => element !== target)].slice(0, MAX_REMEMBERED);
	path = [];
	for (let element = target; !element.matches("body, main"); element = element.parentElement ?? document.body)
		path.push(element);
}

/**
 * A click beside every control gives the focus up. The check comes later, because a removal fires the same event.
 * @param {EventTarget|null} target
 */
function forgetWhenGivenUp(target) {
	queueMicrotask(() => {
		if (document.activeElement === document.body && isVisible(target)) path = [];
	});
}

function restoreFocus() {
	if (!path.length || isVisible(path[0])) return;
	const near = path.filter(isVisible).flatMap((part) => [...part.querySelectorAll(CONTROLS)]);
	const goal = [...near, ...earlier].find(isVisible);
	if (goal instanceof HTMLElement) goal.focus({ preventScroll: true });
	else focusHeading();
}

/** @param {EventTarget|null} element */
const isVisible = (element) => element instanceof Element && element.isConnected && element.checkVisibility();
