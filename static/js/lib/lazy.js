/** Modules and stylesheets that most pages do not need, loaded when they are needed. */
import { createElement } from "./dom.js";
import { fire, on } from "./events.js";

/** @typedef {import("./events.js").PortalEvents} PortalEvents */

/**
 * Return a function that loads something once, and again after a failure.
 * @template T
 * @param {() => Promise<T>} load
 */
export function once(load) {
	/** @type {Promise<T>|undefined} */
	let loading;
	return () => {
		loading ??= load().catch((error) => {
			loading = undefined;
			throw error;
		});
		return loading;
	};
}

/**
 * Load a module at the first of these events, and fire the event again for it.
 *
 * If the server cannot be reached, the next event tries again.
 *
 * @example loadOn(["saved"], () => import("../clients/update-notice.js"));
 * @template {keyof PortalEvents} Name
 * @param {Name[]} names
 * @param {() => Promise<any>} load imports the module, which defines the element
 * @param {(detail: PortalEvents[Name]) => boolean} [isWanted]
 * @param {AbortSignal} [signal] ends the wait for the events
 */
export function loadOn(names, load, isWanted = () => true, signal) {
	let isLoaded = false;
	const loadOnce = once(load);
	const bring = async (/** @type {Name} */ name, /** @type {any} */ detail) => {
		try {
			await loadOnce();
		} catch {
			return;
		}
		isLoaded = true;
		fire(name, .../** @type {any} */ ([detail]));
	};
	for (const name of names)
		on(name, (detail) => !isLoaded && isWanted(detail) && bring(name, detail), signal);
}

/** @type {Map<string, Promise<any>>} */
const stylesheets = new Map();

/**
 * Load a stylesheet once, of the release to which this module belongs.
 * @param {string} name "components/toasts"
 */
export function loadStylesheet(name) {
	const { href } = new URL(`../../css/${name}.css`, import.meta.url);
	const known = stylesheets.get(name);
	if (known) return known;
	const loading = new Promise((resolve, reject) => {
		const link = createElement("link", { rel: "stylesheet", href, onload: resolve });
		link.onerror = () => {
			link.remove();
			stylesheets.delete(name);
			reject();
		};
		document.head.append(link);
	});
	stylesheets.set(name, loading);
	return loading;
}
