// @ts-check
/** Whom somebody who waits is waiting for. Pure. */

/** @typedef {import("./roster.js").User} User */

/** Somebody who waits and edits in another tab edits. @param {User} user */
export const waits = ({ waiting_since, activity }) => Boolean(waiting_since) && activity !== "editing";

/**
 * Everybody else on the page, without those who have asked later, and those who look on and have said that they are done:
 * two who wait do not wait for each other.
 * @param {User[]} others
 * @param {User} [me] as the server has it; until it knows that I wait I am the last
 */
export function inFront(others, me) {
	const mine = me?.waiting_since ? turn(me) : "~";
	return others.filter((user) => (waits(user) ? turn(user) < mine : !isDone(user)));
}

/** Those who wait, the first to have asked first. @param {User[]} users */
export const inTurn = (users) => users.filter(waits).sort((a, b) => (turn(a) < turn(b) ? -1 : 1));

/** @param {User} user */
const isDone = ({ answer, activity }) => answer === "done" && activity !== "editing";

/** Of two moments that are the same the lower id comes first. @param {User} user */
const turn = ({ waiting_since, id }) => `${waiting_since} ${String(id).padStart(10, "0")}`;
