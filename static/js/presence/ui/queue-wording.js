// @ts-check
/** The sentences about users who wait, in the Concurrent Access dialog and in the waiting banner. The functions are pure. */
import { inWaitingOrder, isWaiting, usersAhead } from "../sync/wait-queue.js";
import { activityText, editorsFirst, fullName } from "./wording.js";

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
	if (!first) return "Opens at once: no user is in front of you.";
	const more = rest.length ? `${rest.length + 1} others` : second?.first_name;
	const who = more ? `${first.first_name} and ${more} are` : `${first.first_name} is`;
	return `Opens by itself when ${who} done. ${placeText(front)}`;
}

/**
 * Return the waiting banner's sentence in parts, of which every second one is a name.
 * @param {User[]} front the users for whom the user waits
 */
export function waitingText(front) {
	const [first, second] = inOrderOfTurn(front);
	const end = `. ${placeText(front)} The editor opens by itself when the record is free.`;
	if (!first) return ["Waiting for the others. The editor opens by itself when the record is free."];
	if (!second) return ["Waiting for ", fullName(first), end];
	if (front.length === 2) return ["Waiting for ", fullName(first), " and ", fullName(second), end];
	return ["Waiting for ", fullName(first), ` and ${front.length - 1} others${end}`];
}

/**
 * Return "Daniel: editing Phone" or "Daniel: finishing soon (10:42)".
 * @param {User} user for whom the user waits
 * @param {User[]} users on the page
 * @param {string} [answeredAt] "10:42"; "" if unknown
 */
export function inFrontText(user, users, answeredAt = "") {
	const activity = activityOf(user, users);
	const time = user.answer === "soon" && answeredAt ? ` (${answeredAt})` : "";
	return `${user.first_name}: ${activity[0].toLowerCase()}${activity.slice(1)}${time}`;
}

/**
 * Return "Asked 0:18".
 * @param {number} seconds since the user has asked the others to finish
 */
export function askedText(seconds) {
	const whole = Math.max(0, Math.floor(seconds));
	return `Asked ${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * Return how long ago a user has asked the others to finish, by the server's clock.
 * @param {User} me
 */
export const askedSecondsAgo = ({ asked_at = "", last_seen, seconds_ago }) =>
	(Date.parse(last_seen) - Date.parse(asked_at)) / 1000 + seconds_ago;

/**
 * Sort the users for whom a user waits: users who edit, users who view, then the queue.
 * @param {User[]} front
 */
export const inOrderOfTurn = (front) => [
	...editorsFirst(front.filter((user) => !isWaiting(user))),
	...inWaitingOrder(front),
];

/** @param {User[]} front */
function placeText(front) {
	const place = inWaitingOrder(front).length + 1;
	return place === 1 ? "You are next." : `You are ${ordinal(place)}.`;
}
