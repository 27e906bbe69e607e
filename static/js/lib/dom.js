/** Typed queries and small changes to markup. Text is only ever set as text, because names are data. */

/**
 * Return the first element that matches; the template guarantees that there is one.
 *
 * @example const dialog = query(this, "dialog", HTMLDialogElement);
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @throws {TypeError} when no element of this type matches first
 */
export function query(root, selector, type) {
	const element = root.querySelector(selector);
	if (element instanceof type) return element;
	throw new TypeError(`${selector} is no ${type.name}`);
}

/**
 * Return all elements that match and are of the type.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 */
export const queryAll = (root, selector, type) =>
	[...root.querySelectorAll(selector)].filter(
		/** @returns {element is T} */ (element) => element instanceof type,
	);

/**
 * Create an element with properties and children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} [properties]
 * @param {(Node|string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function createElement(tag, properties, ...children) {
	const element = Object.assign(document.createElement(tag), properties);
	element.append(...children);
	return element;
}

/**
 * Set a text only if it differs, so that a screen reader does not announce it twice.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

/**
 * Make a list focusable while it scrolls, so that the keyboard reaches all of it.
 * @param {HTMLElement} list
 */
export function makeScrollable(list) {
	list.tabIndex = list.scrollHeight > list.clientHeight ? 0 : -1;
}

/**
 * Start a modal dialog at its top when it does not fit: the browser would scroll to the button that has the focus.
 * @param {HTMLDialogElement} dialog that is open
 */
export function startAtTop(dialog) {
	if (dialog.scrollHeight <= dialog.clientHeight) return;
	const heading = query(dialog, "h2", HTMLElement);
	heading.tabIndex = -1;
	heading.focus();
	dialog.scrollTop = 0;
}

/**
 * Show the elements whose data attribute has this value, and hide the others that have the attribute.
 * @param {ParentNode} root
 * @param {string} name "when" for data-when
 * @param {string} value
 */
export function showOnly(root, name, value) {
	for (const part of root.querySelectorAll(`[data-${name}]`)) {
		part.toggleAttribute("hidden", part.getAttribute(`data-${name}`) !== value);
	}
}

/**
 * Whether a click on a link opens it in this tab. The browser opens new tabs and windows by itself.
 * @param {MouseEvent} event
 */
export const isPlain = ({ ctrlKey, metaKey, shiftKey, altKey }) =>
	!(ctrlKey || metaKey || shiftKey || altKey);
