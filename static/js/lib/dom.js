// @ts-check
/** Small changes to markup. Text is only ever set as text: names are data. */

/** @param {string} tag @param {Object} [properties] @param {(Node|string)[]} children @returns {HTMLElement} */
export function make(tag, properties, ...children) {
	const element = Object.assign(document.createElement(tag), properties);
	element.append(...children);
	return element;
}

/** Touches a text only when it differs, so that nothing is announced twice. @param {Element} element @param {string} text */
export function write(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

/** A list that scrolls must be reachable by keyboard; one that does not is no stop. @param {HTMLElement} list */
export function letScroll(list) {
	list.tabIndex = list.scrollHeight > list.clientHeight ? 0 : -1;
}

/** Of the parts with a data attribute (`name`: "when" for data-when), shows those of one value.
 * @param {Element} root @param {string} name @param {string} value */
export function showOnly(root, name, value) {
	for (const part of root.querySelectorAll(`[data-${name}]`)) {
		part.toggleAttribute("hidden", part.getAttribute(`data-${name}`) !== value);
	}
}
