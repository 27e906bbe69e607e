// @ts-check
/**
 * The script of every page: gives the portal's elements their behaviour. What only some pages have comes with them, after this:
 * entry/viewing.js where one looks at a record, entry/client-page.js, entry/client-list.js, and entry/editor.js with an editor.
 */
import { bringFor, loadStylesheet } from "../lib/lazy.js";
import { PresenceConnection } from "../presence/ui/connection.js";
import { hasNotes } from "../lib/tab-notes.js";
import { PresencePage } from "../presence/sync/page.js";

// Those that listen come before the page that speaks; those that come after it take what it knows by then, or wait to be clicked.
customElements.define("presence-connection", PresenceConnection);
customElements.define("presence-page", PresencePage);

// Most pages are left before anything on them has the focus.
const keepFocus = () => import("../lib/kept-focus.js").catch(() => {});
if (document.activeElement === document.body) document.addEventListener("focusin", keepFocus, { once: true });
else keepFocus();

// Seldom needed, and brought only then: others are here, somebody comes or goes, somebody waits and asks the others to finish
// or has left a note of that.
bringFor(
	["roster"],
	() => loadStylesheet("presence/indicator").then(() => import("../presence/ui/indicator.js")),
	({ others }) => others.length > 0,
);
bringFor(["join", "leave", "news"], () =>
	loadStylesheet("components/toasts").then(() => import("../presence/ui/toasts.js")),
);
const hearNudges = () => import("../presence/ui/nudge-banner.js");
if (hasNotes()) hearNudges().catch(() => {});
bringFor(["roster"], hearNudges, ({ others }) => others.some(({ asked_at }) => asked_at));
// Nobody is asked anything in the first minutes, and most pages are left before: it comes when it may have something to say.
const timer = /** @type {HTMLElement|null} */ (document.querySelector("session-timer"));
if (timer) {
	const { secondsIdle, secondsLeft } = timer.dataset;
	timer.dataset.since = `${Date.now()}`;
	const seconds = Math.min(300, Number(secondsIdle) - 150, Number(secondsLeft) - 150);
	setTimeout(() => import("../session/timer.js"), Math.max(0, seconds * 1000));
}
// No age is wrong in the first seconds, and many pages show none.
const drawAges = () => {
	if (document.querySelector("time[data-age-seconds]"))
		import("../lib/ages.js").then((ages) => ages.drawAges()).catch(() => {}); // the portal is away: the next time
};
setInterval(drawAges, 20_000);
document.addEventListener("visibilitychange", () => document.hidden || drawAges()); // hidden tabs have slow timers
