// @ts-check
/** Modules of elements that most pages do not need, loaded at the first event that they show. */
import { fire, on } from "./events.js";

/** @typedef {import("./events.js").PortalEvents} PortalEvents */

/**
 * Load a module at the first of these events, and fire the event again for it.
 *
 * If the server cannot be reached, the next event tries again.
 *
 * @template {keyof PortalEvents} Name
 * @param {Name[]} names
 * @param {() => Promise<any>} load imports the module, which defines the element
 * @param {(detail: PortalEvents[Name]) => boolean} [isWanted]
 */
export function bringFor(names, load, isWanted = () => true) {
	let isLoaded = false;
	const bring = async (/** @type {Name} */ name, /** @type {any} */ detail) => {
		try {
			await load();
		} catch {
			return;
		}
		isLoaded = true;
		fire(name, .../** @type {any} */ ([detail]));
	};
	for (const name of names) on(name, (detail) => !isLoaded && isWanted(detail) && bring(name, detail));
}
