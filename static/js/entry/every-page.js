/**
 * The script of every page: it defines the elements that every page has, and loads the others when they are needed.
 * Pages that need more have a second script, for example entry/viewing.js or entry/editor.js.
 */
import { isPlain } from "../lib/dom.js";
import { loadOn, loadStylesheet } from "../lib/lazy.js";
import { PresenceConnection } from "../presence/ui/connection.js";
import { hasNotes } from "../lib/tab-notes.js";
import { PresencePage } from "../presence/sync/page.js";

// The components that listen are defined before <presence-page>, which fires. Components defined later read its state.
customElements.define("presence-connection", PresenceConnection);
customElements.define("presence-page", PresencePage);

const first = (/** @type {string} */ selector) => document.querySelector(selector);

// Users leave most pages before any element has had the focus.
const keepFocus = () => import("../lib/kept-focus.js").catch(() => {});
if (document.activeElement === document.body) document.addEventListener("focusin", keepFocus, { once: true });
else keepFocus();

// Most pages never need these: other users are here, a user joins or leaves, a user who waits asks the others to
// finish, or the previous page has left a note about that.
loadOn(
	["roster"],
	() =>
		Promise.all([
			loadStylesheet("presence/indicator"),
			loadStylesheet("presence/states"),
			loadStylesheet("presence/viewers"),
		]).then(() => import("../presence/ui/indicator.js")),
	({ others }) => others.length > 0,
);
loadOn(["join", "leave"], () =>
	loadStylesheet("components/toasts").then(() => import("../presence/ui/toasts.js")),
);
const loadNudges = () => import("../presence/ui/nudge-banner.js");
if (hasNotes()) loadNudges().catch(() => {});
loadOn(["roster"], loadNudges, ({ others }) => others.some(({ asked_at }) => asked_at));

// The box in the top bar, Ctrl K, and the single keys, except while the user types or has switched them off.
const press = (/** @type {string} */ key) =>
	import("../find/shortcuts.js").then((shortcuts) => shortcuts.press(key)).catch(() => {});
const box = first("[data-find]");
/** @type {(link: Element|null, open: () => void) => void} */
const opens = (link, open) =>
	link?.addEventListener("click", (event) => {
		if (!isPlain(/** @type {MouseEvent} */ (event))) return;
		event.preventDefault();
		open();
	});
opens(box, () => press("/"));
document.addEventListener("keydown", (event) => {
	const { key, ctrlKey, metaKey, altKey, target } = event;
	const isCtrlK = key === "k" && (ctrlKey || metaKey);
	const isTyping = target instanceof Element && target.closest("input,select,textarea");
	if (
		!isCtrlK &&
		(key.length > 1 || ctrlKey || metaKey || altKey || isTyping || !box?.matches("[data-keys]"))
	)
		return;
	if (isCtrlK || key === "/") event.preventDefault();
	press(isCtrlK ? "/" : key);
});

// The server has just counted the notifications, and few users open the list from this page.
const bell = /** @type {HTMLAnchorElement} */ (first(".bell"));
const load = () => import("../notifications/bell.js");
opens(bell, () =>
	load().then(
		(it) => it.toggle(bell),
		() => location.assign(bell.href),
	),
);
loadOn(["unread"], load, ({ unread }) => `${unread}` !== bell.dataset.unread);
first("presence-page") ?? import("../presence/sync/own-stream.js");

// The timer is loaded when it may have to ask. Users leave most pages in the first minutes.
const timer = /** @type {HTMLElement|null} */ (first("session-timer"));
if (timer) {
	const { secondsIdle, secondsLeft } = timer.dataset;
	timer.dataset.since = `${Date.now()}`;
	const seconds = Math.min(300, Number(secondsIdle) - 150, Number(secondsLeft) - 150);
	setTimeout(() => import("../session/timer.js"), Math.max(0, seconds * 1000));
}

// The server has just written the ages, and many pages show none.
const drawAges = () => {
	if (first("time[data-age-seconds]"))
		import("../lib/ages.js").then((ages) => ages.drawAges()).catch(() => {}); // offline: the next interval tries again
};
setInterval(drawAges, 20_000);
document.addEventListener("visibilitychange", () => document.hidden || drawAges()); // hidden tabs have slow timers

// The margins of printed sheets show it: foundation/print.css.
window.addEventListener("beforeprint", () => {
	const at = new Date().toLocaleString("en-GB", {
		dateStyle: "long",
		timeStyle: "short",
		timeZone: "Europe/London",
	});
	document.documentElement.style.setProperty("--printed-on", `"Printed on ${at}"`);
});
