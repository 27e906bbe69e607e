/**
 * Computes whom a page shows, who has joined and who has left. The functions are pure; page.js keeps the state.
 * The server reports exactly; the browser hides short gaps (presence rule 6):
 * - The first roster fires no joins: these users were on the page before.
 * - A user who vanishes stays visible for LEAVE_GRACE_MS. Only a later response without the user makes it a leave;
 *   `checkAt` says when to ask. So a reload at the moment of a heartbeat is neither a leave nor a join.
 * - After a gap longer than the active window, the next roster counts as the first one. A return within the recovery
 *   time is no join, because after an outage all users return one by one. After a slightly shorter gap, the others may
 *   have expired, because they sent their last heartbeats a little earlier. They stay visible for the recovery time.
 * - If the server has lost *this* user, or reports another time of entering, and no other user is as before, the server
 *   has lost its table in a crash. The others stay visible for the recovery time, since they return with their next
 *   heartbeats. If other users are as before, the server has only expired this user, as it does with a laptop that
 *   sleeps.
 */

/**
 * @typedef {Object} User a viewer of a page, as the server sends it (docs/api.md)
 * @property {number} id of the profile
 * @property {string} first_name
 * @property {string} last_name
 * @property {string} email
 * @property {string} last_seen
 * @property {number} seconds_ago
 * @property {string} entered_at
 * @property {boolean} [may_edit] false: the user may only read; absent from a server of release 0.2.0
 * @property {"viewing"|"editing"} activity
 * @property {boolean} visible whether the user sees one of their tabs
 * @property {string[]} fields labels of the fields that the user has changed
 * @property {string} [focus] label of the field that has the keyboard focus
 * @property {string} [waiting_since]
 * @property {string} [asked_at] when the user, who waits, has asked the others to finish
 * @property {"soon"|"done"} [answer] to a nudge
 */
/**
 * @typedef {Object} Roster all times in ms
 * @property {User[]} present without the user of this page
 * @property {{user: User, until: number}[]} missing vanished, and still visible
 * @property {Map<number, number>} expected by id of users from before a gap: until when a return is no join
 * @property {string} [enteredAt] the entered_at of the user of this page
 * @property {number} [answeredAt]
 * @property {number} recoveredAt
 */

export const LEAVE_GRACE_MS = 5000;
// Longer than the wait after a 503, which is five seconds and its jitter (lib/backoff.js), however short the heartbeat.
const MIN_RECOVERY_MS = 10_000;

/** @type {Roster} before the first response */
export const UNKNOWN = { present: [], missing: [], expected: new Map(), recoveredAt: 0 };

/**
 * Return the roster after a response, and who has joined and left.
 * @param {Roster} before
 * @param {User[]} users as the server sent them
 * @param {{now: number, myId: number, heartbeatMs: number, activeWindowMs: number}} context
 * @returns {{roster: Roster, joined: User[], left: User[]}}
 */
export function syncRoster(before, users, { now, myId, heartbeatMs, activeWindowMs }) {
	const isFirst = before.answeredAt === undefined;
	const gapMs = now - (before.answeredAt ?? Number.POSITIVE_INFINITY);
	const isStale = gapMs > activeWindowMs;
	const mayHaveExpired = gapMs > activeWindowMs - 1.5 * heartbeatMs;
	const enteredAt = users.find(({ id }) => id === myId)?.entered_at;
	const isAsBefore = (/** @type {User} */ user) =>
		before.present.some(({ id, entered_at }) => id === user.id && entered_at === user.entered_at);
	const isLost = before.enteredAt !== undefined && enteredAt !== before.enteredAt && !users.some(isAsBefore);
	const recoveryMs = Math.max(2 * heartbeatMs, MIN_RECOVERY_MS);
	const recoveredAt = mayHaveExpired || isLost ? now + recoveryMs : before.recoveredAt;

	const present = withoutMe(users, myId);
	const vanished = visibleViewers(before).filter((user) => !includes(present, user));
	const expected = new Map([...before.expected].filter(([, until]) => until > now));
	const isKnown = (/** @type {User} */ user) =>
		includes(visibleViewers(before), user) || expected.has(user.id);
	const joined = isFirst || isStale ? [] : present.filter((user) => !isKnown(user));
	if (isStale) for (const { id } of vanished) expected.set(id, recoveredAt);
	const delayed = (isStale ? [] : vanished).map((user) => {
		const known = before.missing.find((entry) => entry.user.id === user.id);
		return { user, until: Math.max(known?.until ?? now + LEAVE_GRACE_MS, recoveredAt) };
	});
	const missing = delayed.filter(({ until }) => until > now);
	const left = delayed.filter(({ until }) => until <= now).map(({ user }) => user);
	const roster = { present, missing, expected, answeredAt: now, recoveredAt };
	return { roster: { ...roster, enteredAt: enteredAt ?? before.enteredAt }, joined, left };
}

/**
 * Return the other users to show, including those who have just vanished.
 * @param {Roster} roster
 */
export const visibleViewers = ({ present, missing }) =>
	inOrder([...present, ...missing.map(({ user }) => user)]);

/**
 * Sort users by the time of entering. The server's order, newest heartbeat first, would change at each response.
 * @param {User[]} users
 */
export function inOrder(users) {
	const key = (/** @type {User} */ user) => `${user.entered_at} ${user.id}`;
	return users.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/**
 * Whether a user who is not in the roster is gone. During the recovery from an outage, users may still return.
 * @param {Roster} roster
 */
export const isSettled = ({ answeredAt, recoveredAt }) =>
	answeredAt !== undefined && answeredAt >= recoveredAt;

/**
 * Return when to ask whether a missing user is gone, in ms; Infinity for never.
 * @param {Roster} roster
 */
export const checkAt = ({ missing }) => Math.min(...missing.map(({ until }) => until));

/**
 * @param {User[]} users
 * @param {number} myId
 */
export const withoutMe = (users, myId) => users.filter(({ id }) => id !== myId);

/** @typedef {"editing"|"waiting"|"viewing"|"away"} State */

/**
 * Return the state to show. A user whose tabs are all hidden is away, unless they hold unsaved changes or a place in the
 * queue.
 * @param {User} user
 * @returns {State}
 */
export function stateOf({ activity, visible, waiting_since }) {
	if (activity === "editing") return "editing";
	if (waiting_since) return "waiting";
	return visible ? "viewing" : "away";
}

/**
 * @param {User[]} users
 * @param {User} user
 */
const includes = (users, user) => users.some(({ id }) => id === user.id);
