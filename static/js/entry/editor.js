// @ts-check
/**
 * The script of pages with an editor; comes after main.js, whose elements hear what forms report. What others type and save
 * is shown by a module of its own, which is brought when there are others, or when somebody has saved.
 */
import { fire, on } from "../lib/events.js";
import { watchForm } from "../editing/form.js";

const page = /** @type {import("../presence/sync/page.js").PresencePage} */ (
	document.querySelector("presence-page")
);
const forms = [...document.querySelectorAll("form[data-edit-form]")];
if (document.querySelector(".question")) import("../editing/decisions.js");
for (const form of forms) {
	watchForm(form);
	for (const type of ["focusin", "pointerover"]) form.addEventListener(type, dressDays, { once: true });
	// What has been saved since the person started is news, also where the page itself is newer than that.
	if (page && form.elements.namedItem("seen"))
		page.dataset.version = form.elements.namedItem("version").value;
}

/** What helps to type days comes when somebody begins to use the form; without it they are typed all the same. */
async function dressDays({ currentTarget }) {
	const days = currentTarget.querySelectorAll("[data-day]");
	if (!days.length) return;
	const { dressDay } = await import("../editing/date-fields.js");
	for (const control of days) dressDay(control);
}

// A page of decisions alone has nothing that could be saved halfway: who is done leaves it.
if (!forms.length) on("finish", () => document.querySelector(".save-bar a")?.click());

/** @type {Promise<void>|undefined} */
let watching;
const watch = () => {
	watching ??= import("../editing/remote/incoming.js").then(
		({ watchOthers }) => {
			for (const form of forms) watchOthers(form, page);
		},
		() => {
			watching = undefined; // the portal is away: asked for again at the next roster
		},
	);
	return watching;
};
on("roster", ({ others }) => others.length && watch());
on("saved", (detail) => watching ?? watch().then(() => watching && fire("saved", detail)));
if (page?.others.length) watch();
