/** For whom a user waits who wants to edit a record, and in which order users wait. The functions are pure. */

/** @typedef {import("./roster.js").User} User */

/**
 * Whether a user waits. A user who waits in one tab and edits in another counts as editing.
 * @param {User} user
 */
export const isWaiting = ({ waiting_since, activity }) => Boolean(waiting_since) && activity !== "editing";

/**
 * Return the users about whom the Concurrent Access dialog asks: users who may edit. If the dialog is restricted to users
 * who edit, only those who edit or wait to edit.
 * @param {User[]} others
 * @param {string} [warning] PORTAL_EDIT_WARNING: "present" or "editing"
 */
export const conflictingUsers = (others, warning) =>
	others.filter(
		(user) =>
			user.may_edit !== false &&
			(warning !== "editing" || user.activity === "editing" || Boolean(user.waiting_since)),
	);

/**
 * Return the users for whom this user waits: every conflicting user, except users who started to wait later, and users who only
 * view and have answered that they are done. So two users who wait never wait for each other.
 * @param {User[]} others of `conflictingUsers`
 * @param {User} [me] as the server sent it; until the server knows that this user waits, the user is the last
 */
export function usersAhead(others, me) {
	const mine = me?.waiting_since ? turn(me) : "~";
	return others.filter((user) => (isWaiting(user) ? turn(user) < mine : !isDone(user)));
}

/**
 * Return the users who wait, the first to have waited first.
 * @param {User[]} users
 */
export const inWaitingOrder = (users) => users.filter(isWaiting).sort((a, b) => (turn(a) < turn(b) ? -1 : 1));

/** @param {User} user */
const isDone = ({ answer, activity }) => answer === "done" && activity !== "editing";

/**
 * Return a sort key. At equal times the lower id comes first.
 * @param {User} user
 */
const turn = ({ waiting_since, id }) => `${waiting_since} ${String(id).padStart(10, "0")}`;
