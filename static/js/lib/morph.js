/**
 * Updates a part of the page to new markup and changes only the nodes that differ, so that focus, selection and scroll
 * position stay.
 *
 * Reads: data-key on repeated elements, which pairs old with new ones. Elements without a key are paired by position;
 *        data-unfolded on a <details> whose content the user has loaded; data-local on an element that belongs to the
 *        open page alone, which stays.
 *
 * @example for (const element of morph(part, wanted)) highlight(element);
 */

/** The user may have opened it, and the server does not know. */
const OWN_ATTRIBUTE = "open";

/**
 * Update a node and return the elements whose text has changed.
 * @param {ChildNode} here in the page
 * @param {ChildNode} there as it should be
 * @param {Set<Element>} [changed]
 * @returns {Set<Element>} the smallest elements with new text; a removal and an age that has grown are not new
 */
export function morph(here, there, changed = new Set()) {
	if (here.isEqualNode(there) || isUnfolded(here)) return changed;
	if (here instanceof Element && there instanceof Element && here.nodeName === there.nodeName) {
		morphAttributes(here, there);
		morphChildren(here, there, isSameMoment(here, there) ? new Set() : changed);
	} else if (here instanceof Text && there instanceof Text) {
		const text = there.data.trim();
		if (text && text !== here.data.trim() && here.parentElement) changed.add(here.parentElement);
		here.data = there.data;
	} else {
		const made = document.importNode(there, true);
		here.replaceWith(made);
		addChanged(made, changed);
	}
	return changed;
}

/**
 * Update the children. New nodes are inserted around those that stay, because a node that moves loses the focus. A node
 * with a key that moves is not new.
 * @param {Element} here
 * @param {Element} there
 * @param {Set<Element>} changed
 */
function morphChildren(here, there, changed) {
	const old = [...here.childNodes].filter((node) => !isLocal(node));
	const pairs = paired(
		old,
		[...there.childNodes].filter((node) => !isLocal(node)),
	);
	const kept = new Set(pairs.map(([node]) => node));
	/** @type {Map<string, ChildNode>} */
	const moved = new Map();
	for (const node of old.filter((node) => !kept.has(node))) {
		node.remove();
		if (keyOf(node)) moved.set(keyOf(node), node);
	}
	let next = here.firstChild;
	for (const [node, wanted] of pairs) {
		if (node) {
			next = node.nextSibling;
			morph(node, wanted, changed);
		} else {
			const known = moved.get(keyOf(wanted));
			if (known) morph(here.insertBefore(known, next), wanted, changed);
			else addChanged(here.insertBefore(document.importNode(wanted, true), next), changed);
		}
	}
}

/**
 * Return each wanted node with the old node that becomes it, in the order of the page; null where there is none.
 * @param {ChildNode[]} old
 * @param {ChildNode[]} wanted
 * @returns {[ChildNode|null, ChildNode][]}
 */
function paired(old, wanted) {
	let from = 0;
	const tail = equalAtEnd(old, wanted);
	const body = old.slice(0, old.length - tail);
	return wanted.map((node, i) => {
		if (i >= wanted.length - tail) return [old[i + old.length - wanted.length], node];
		const key = keyOf(node);
		const at = body.findIndex((each, i) => i >= from && keyOf(each) === key && (key || i === from));
		if (at < 0) return [null, node];
		from = at + 1;
		return [body[at], node];
	});
}

/**
 * Return how many nodes at the end are equal.
 * @param {ChildNode[]} old
 * @param {ChildNode[]} wanted
 */
function equalAtEnd(old, wanted) {
	const most = Math.min(old.length, wanted.length);
	for (let tail = 0; tail < most; tail += 1)
		if (!old[old.length - 1 - tail].isEqualNode(wanted[wanted.length - 1 - tail])) return tail;
	return most;
}

/**
 * Whether the user has loaded the content (clients/unfold-diff.js). An accepted change does not change any more.
 * @param {ChildNode} node
 */
const isUnfolded = (node) => node instanceof Element && node.hasAttribute("data-unfolded");

/**
 * Whether the texts of two times differ only because they were written in different minutes (ages.js).
 * @param {Element} here
 * @param {Element} there
 */
const isSameMoment = (here, there) =>
	here.hasAttribute("data-age-seconds") && here.getAttribute("datetime") === there.getAttribute("datetime");

/** @param {ChildNode} node */
const isLocal = (node) => node instanceof Element && node.hasAttribute("data-local");

/** @param {ChildNode} node */
const keyOf = (node) => (node instanceof Element && node.getAttribute("data-key")) || "";

/**
 * @param {Element} here
 * @param {Element} there
 */
function morphAttributes(here, there) {
	for (const name of here.getAttributeNames())
		if (name !== OWN_ATTRIBUTE && !there.hasAttribute(name)) here.removeAttribute(name);
	for (const { name, value } of there.attributes)
		if (here.getAttribute(name) !== value) here.setAttribute(name, value);
}

/**
 * @param {ChildNode} node
 * @param {Set<Element>} changed
 */
function addChanged(node, changed) {
	const element = node instanceof Element ? node : node.parentElement;
	if (element && node.textContent?.trim()) changed.add(element);
}
