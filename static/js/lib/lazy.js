// @ts-check
/** Elements that most pages never need, brought when something happens that they would show. */
import { fire, on } from "./events.js";

/**
 * The element hears what it was brought for. Where the portal cannot be reached, the next event asks for it again.
 * @param {string[]} names of events
 * @param {() => Promise<any>} load imports the module, which defines the element
 * @param {(detail: any) => boolean} [isWanted]
 */
export function bringFor(names, load, isWanted = () => true) {
	let isThere = false;
	const bring = async (name, detail) => {
		try {
			await load();
		} catch {
			return;
		}
		isThere = true;
		fire(name, detail);
	};
	for (const name of names) on(name, (detail) => !isThere && isWanted(detail) && bring(name, detail));
}
