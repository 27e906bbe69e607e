// Functions that tests/engines/people.py runs in a page of any engine. They find elements as a screen reader names
// them: a target is a list of [role, accessible name], from the outermost element to the one that is meant.

const SELECTORS = {
	button: "button",
	combobox: "select",
	dialog: "dialog[open]",
	link: "a[href]",
	main: "main",
	textbox: "input, textarea",
};

/** @returns {string} the visible text with each run of white space as one space */
function textOf(element) {
	// biome-ignore lint/performance/useDomNodeTextContent: only what is visible counts
	return element.innerText.replace(/\s+/g, " ").trim();
}

function nameOf(element) {
	const ids = element.getAttribute("aria-labelledby")?.split(" ") ?? [];
	const labels = ids.length ? ids.map((id) => document.getElementById(id)) : [...(element.labels ?? [])];
	return (
		element.getAttribute("aria-label") ?? (labels.length ? labels.map(textOf).join(" ") : textOf(element))
	);
}

function find(target) {
	const isMeant = (element, name) =>
		element.checkVisibility({ visibilityProperty: true }) && (!name || nameOf(element) === name);
	return target.reduce(
		(around, [role, name]) =>
			[...(around?.querySelectorAll(SELECTORS[role]) ?? [])].find((each) => isMeant(each, name)),
		document,
	);
}

/** @returns the element's centre in the viewport, or null while it is absent or another element covers it */
export function centreOf(target) {
	const element = find(target);
	element?.scrollIntoView({ block: "center", behavior: "instant" });
	const box = element?.getClientRects()[0];
	if (!box) return null;
	const [x, y] = [box.left + box.width / 2, box.top + box.height / 2].map(Math.round);
	if (!element.contains(document.elementFromPoint(x, y))) return null;
	window.wasMissed = true;
	element.addEventListener("mousedown", () => (window.wasMissed = false), { once: true });
	return [x, y];
}

/** @returns whether the click at the centre has met another element, because the page has moved it in between */
export function wasMissed() {
	return window.wasMissed;
}

export function read(target) {
	const element = target.length ? find(target) : document.body;
	if (!element) return null;
	const hasFocus = element === document.activeElement;
	return { text: textOf(element), value: element.value, height: element.offsetHeight, hasFocus };
}

/** @returns whether the server has answered a heartbeat of this page */
export function hasBeaten() {
	const requests = performance.getEntriesByType("resource");
	return requests.some(({ name, responseEnd }) => name.endsWith("/user_page_presence") && responseEnd > 0);
}

/** Record every toast from now on, also those that disappear. */
export function recordToasts() {
	window.recordedToasts = [];
	new MutationObserver((changes) => {
		for (const node of changes.flatMap(({ addedNodes }) => [...addedNodes]))
			if (node.classList?.contains("toast")) window.recordedToasts.push(textOf(node));
	}).observe(document, { childList: true, subtree: true });
}

export function toasts() {
	return window.recordedToasts;
}
