/**
 * What the keys do: find a client, edit the open one, go to the list, show the keys. entry/every-page.js passes each key that
 * the user presses outside fields. A dialog that is open keeps its keys.
 *
 * Reads: [data-find], the box in the top bar, which links to the list; a.primary[data-edit], the Edit button of the page.
 */
import { query } from "../lib/dom.js";
import { loadStylesheet } from "../lib/lazy.js";
import { Keys } from "./keys.js";

const keys = new Keys();
const ACTIONS = {
	find: () => open(() => import("./quick-open.js").then((found) => found.openQuickOpen)),
	help: () => open(() => import("./help.js").then((help) => help.openHelp)),
	edit: () => /** @type {HTMLElement|null} */ (document.querySelector("a.primary[data-edit]"))?.click(),
	list: () => location.assign(query(document, "[data-find]", HTMLAnchorElement).href),
};

/** @param {string} key */
export function press(key) {
	const command = keys.read(key, Date.now());
	if (command && !document.querySelector("dialog[open]")) ACTIONS[command]();
}

/** @param {() => Promise<() => void>} load imports the function that opens the dialog */
async function open(load) {
	const [show] = await Promise.all([
		load(),
		loadStylesheet("components/matches"),
		loadStylesheet("components/quick-open"),
	]);
	if (!document.querySelector("dialog[open]")) show();
}
