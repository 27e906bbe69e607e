/**
 * Keeps what the user works with in its place while a change moves the page. The page scrolls by as much as the change
 * has moved that place: the control or the entry of a list under the pointer, or the focused one if the user has typed
 * since the pointer moved. Where neither is in sight, it is the field, the entry or the card in the middle of the window.
 *
 * @example holdStill(() => field.append(notice));
 */

const PLACES = "a, button, input, select, textarea, summary, label, .field, [data-key]";
// They keep their place in the window while the page scrolls.
const STICKY = ".save-bar, .rail";

/** @type {{x: number, y: number}|null|undefined} null from a key until the pointer moves; undefined before both */
let pointer;
let isHolding = false;

document.addEventListener("pointermove", ({ clientX: x, clientY: y, pointerType }) => {
	pointer = pointerType === "touch" ? null : { x, y };
});
document.addEventListener("keydown", () => {
	pointer = null;
});

/**
 * Make a change, and scroll so that the user's place stays where it is.
 * @param {() => void} change of the document, at once
 */
export function holdStill(change) {
	if (isHolding) return change();
	const places = findPlaces().map((element) => ({ element, before: topOf(element) }));
	isHolding = true;
	try {
		change();
	} finally {
		isHolding = false;
	}
	const place = places.find(({ element, before }) => element.isConnected && topOf(element) !== before);
	if (!place) return;
	const moved = () => topOf(place.element) - place.before;
	scrollBy({ top: moved(), behavior: "instant" });
	if (moved() < 1) return;
	// The page ends before it has scrolled far enough.
	const { style } = document.body;
	style.paddingBlockEnd = `${Number.parseFloat(style.paddingBlockEnd || "0") + moved()}px`;
	scrollBy({ top: moved(), behavior: "instant" });
}

/**
 * Return the elements of which the first one that moves has to stay where it is.
 * @returns {Element[]}
 */
function findPlaces() {
	const hovered = underPointer()?.closest(PLACES);
	if (hovered && !hovered.closest(STICKY)) return [hovered];
	const { activeElement } = document;
	const focused = activeElement?.matches(PLACES) && isInSight(activeElement) ? activeElement : null;
	const middle = document
		.elementFromPoint(innerWidth / 2, innerHeight / 2)
		?.closest(".field, [data-key], .card");
	return [focused ?? middle, hovered].flatMap((element) => element ?? []);
}

/** Before the first event, the pointer may rest where the user moved it before this module was loaded. */
function underPointer() {
	if (pointer === undefined) return [...document.querySelectorAll(":hover")].at(-1);
	return pointer && document.elementFromPoint(pointer.x, pointer.y);
}

/** @param {Element} element */
const topOf = (element) => element.getBoundingClientRect().top;

/** @param {Element} element */
function isInSight(element) {
	const { top, bottom } = element.getBoundingClientRect();
	return bottom > 0 && top < innerHeight;
}
