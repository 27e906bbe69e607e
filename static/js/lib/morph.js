// @ts-check
/**
 * Makes a part of the page what the server now says it is, touching only what differs: focus, selection and scroll stay.
 *
 * Reads:  data-key on repeated elements, which says which of them are the same; others go by their place.
 */

/** The person may have opened it; the server does not know. */
const OWN_ATTRIBUTE = "open";

/**
 * @param {Node} here in the page
 * @param {Node} there as it should be
 * @param {Set<Element>} [changed]
 * @returns {Set<Element>} the elements that say something else now
 */
export function morph(here, there, changed = new Set()) {
	if (here.isEqualNode(there) || isUnfolded(here)) return changed;
	if (here instanceof Element && there instanceof Element && here.nodeName === there.nodeName) {
		morphAttributes(here, there);
		morphChildren(here, there, changed);
	} else if (here.nodeType === Node.TEXT_NODE && there.nodeType === Node.TEXT_NODE) {
		if (here.nodeValue.trim() !== there.nodeValue.trim()) changed.add(here.parentElement);
		here.nodeValue = there.nodeValue;
	} else {
		const made = document.importNode(there, true);
		here.parentNode.replaceChild(made, here);
		noteAdded(made, changed);
	}
	return changed;
}

/** Nodes are put in and taken out around those that stay: one that were moved would lose the focus. */
function morphChildren(here, there, changed) {
	const old = [...here.childNodes];
	const pairs = paired(old, [...there.childNodes]);
	const kept = new Set(pairs.map(([node]) => node));
	for (const node of old.filter((node) => !kept.has(node))) {
		if (node.textContent.trim()) changed.add(here);
		node.remove();
	}
	let next = here.firstChild;
	for (const [node, wanted] of pairs) {
		if (node) {
			next = node.nextSibling;
			morph(node, wanted, changed);
		} else noteAdded(here.insertBefore(document.importNode(wanted, true), next), changed);
	}
}

/** Each wanted node with the old one that becomes it, in one order; null where there is none. */
function paired(old, wanted) {
	let from = 0;
	let tail = 0;
	while (tail < Math.min(old.length, wanted.length) && old.at(-1 - tail).isEqualNode(wanted.at(-1 - tail)))
		tail += 1;
	const body = old.slice(0, old.length - tail);
	const pairs = wanted.slice(0, wanted.length - tail).map((node) => {
		const key = keyOf(node);
		const at = body.findIndex((each, i) => i >= from && keyOf(each) === key && (key || i === from));
		if (at < 0) return [null, node];
		from = at + 1;
		return [body[at], node];
	});
	return [
		...pairs,
		...wanted.slice(wanted.length - tail).map((node, i) => [old[old.length - tail + i], node]),
	];
}

/** What the person has fetched by unfolding it (unfold.js) never changes. */
const isUnfolded = (node) => node.dataset?.unfolded !== undefined;

const keyOf = (node) => node.dataset?.key ?? "";

function morphAttributes(here, there) {
	for (const name of here.getAttributeNames())
		if (name !== OWN_ATTRIBUTE && !there.hasAttribute(name)) here.removeAttribute(name);
	for (const { name, value } of there.attributes)
		if (here.getAttribute(name) !== value) here.setAttribute(name, value);
}

function noteAdded(node, changed) {
	const element = node instanceof Element ? node : node.parentElement;
	if (node.textContent.trim()) changed.add(element);
}
