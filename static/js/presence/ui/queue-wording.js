// @ts-check
/** The sentences about users who wait, in the Concurrent Access dialog and in the waiting banner. The functions are pure. */
import { inWaitingOrder, isWaiting, usersAhead } from "../sync/wait-queue.js";
import { activityText, editorsFirst } from "./wording.js";

/** @typedef {import("../sync/roster.js").User} User */

const ORDINALS = new Intl.PluralRules("en-GB", { type: "ordinal" });
/** @type {Record<string, string>} by the category of the number */
const ENDINGS = { one: "st", two: "nd", few: "rd", other: "th" };

/**
 * Return "1st", "2nd" or "3rd".
 * @param {number} number
 */
export const ordinal = (number) => `${number}${ENDINGS[ORDINALS.select(number)]}`;

/**
 * Return "Editing Phone", "Viewing", "Waiting, 1st" or "Finishing soon".
 * @param {User} user
 * @param {User[]} users on the page, among whom the user has a place in the queue
 */
export function activityOf(user, users) {
	if (!isWaiting(user)) return user.answer === "soon" ? "Finishing soon" : activityText(user) || "Viewing";
	const place = inWaitingOrder(users).findIndex(({ id }) => id === user.id) + 1;
	return `Waiting, ${ordinal(place)}${user.visible ? "" : ", away"}`;
}

/**
 * Return what happens to a user who chooses to wait.
 * @param {User[]} others on the page
 */
export function consequenceOfWaiting(others) {
	const front = usersAhead(others);
	const busy = editorsFirst(front.filter((user) => !isWaiting(user)));
	const [first, second, ...rest] = busy.length ? busy : inWaitingOrder(front);
	if (!first) return "Opens at once: nobody is in front of you.";
	const more = rest.length ? `${rest.length + 1} others` : second?.first_name;
	const who = more ? `${first.first_name} and ${more} are` : `${first.first_name} is`;
	return `Opens by itself when ${who} done. ${placeAmong(inWaitingOrder(front).length + 1)}`;
}

/** @param {number} place in the queue */
const placeAmong = (place) => (place === 1 ? "You are next." : `You are ${ordinal(place)}.`);
