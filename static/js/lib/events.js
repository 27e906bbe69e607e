// @ts-check
/** How the parts of a page talk: events on the document named `presence:…`. Each module lists its own. */

/** @param {string} name @param {(detail: any) => void} hear */
export const on = (name, hear) =>
	document.addEventListener(`presence:${name}`, (/** @type {CustomEvent} */ { detail }) => hear(detail));

/** @param {string} name @param {Object} [detail] */
export const fire = (name, detail) => document.dispatchEvent(new CustomEvent(`presence:${name}`, { detail }));
