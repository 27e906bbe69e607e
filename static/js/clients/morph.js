// @ts-check
/** Makes a part of the page what the server now says it is, touching only what differs: focus, selection and scroll stay. */

/** The person may have opened it; the server does not know. */
const OWN_ATTRIBUTE = "open";

/**
 * @param {Node} here in the page
 * @param {Node} there as it should be
 * @param {Set<Element>} [changed]
 * @returns {Set<Element>} the elements that say something else now
 */
export function morph(here, there, changed = new Set()) {
	if (here.isEqualNode(there)) return changed;
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

/** What is the same at both ends stays; what is between them is gone through one by one. */
function morphChildren(here, there, changed) {
	const old = [...here.childNodes];
	const wanted = [...there.childNodes];
	let next = null;
	while (old.length && wanted.length && old[0].isEqualNode(wanted[0])) {
		old.shift();
		wanted.shift();
	}
	while (old.length && wanted.length && old.at(-1).isEqualNode(wanted.at(-1))) {
		next = old.pop();
		wanted.pop();
	}
	for (const [i, node] of wanted.entries()) {
		if (old[i]) morph(old[i], node, changed);
		else noteAdded(here.insertBefore(document.importNode(node, true), next), changed);
	}
	for (const node of old.slice(wanted.length)) {
		if (node.textContent.trim()) changed.add(here);
		node.remove();
	}
}

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
