// @ts-check
/**
 * Who is drawn, who has joined, who has left: a page's roster without the DOM. Pure; page.js keeps the state.
 * The browser is calm where the server is exact (presence rule 6):
 * - The first roster is no news: they were there before you came.
 * - Who vanishes stays drawn for CALM_MS, and only a later answer that misses them too makes it a leave (`checkAt`
 *   says when to ask): a reload that falls on a beat is nobody's news.
 * - After a gap longer than the active window the next roster is a first one again, and who comes back within the
 *   recovery is no news: after an outage all do, one by one. Where the gap was only nearly so long, the others' last
 *   beats may have run out all the same, for they beat a little earlier: they stay drawn for the recovery.
 * - When the server no longer has *us*, or says that we entered at another time, and nobody is there as before, it lost
 *   its table in a crash, and the others are missing only until their next beat: they stay drawn for the recovery. Where
 *   others are as they were, it has only taken us off, as it does with a laptop that sleeps.
 */

/**
 * @typedef {{id: number, first_name: string, last_name: string, email: string, last_seen: string,
 *   seconds_ago: number, entered_at: string, activity: "viewing"|"editing", visible: boolean, fields: string[],
 *   waiting_since?: string, asked_at?: string, answer?: "soon"|"done"}} User
 * @typedef {Object} Roster all times in ms
 * @property {User[]} present without the caller
 * @property {{user: User, until: number}[]} missing vanished, still drawn
 * @property {Map<number, number>} expected known before a gap: until when a return is no news
 * @property {string} [enteredAt] the caller's own entered_at
 * @property {number} [answeredAt]
 * @property {number} recoveredAt
 */

export const CALM_MS = 5000;
// Outlasts the wait that a 503 asks for, five seconds and the jitter on it (schedule.js), however short the heartbeat.
const SHORTEST_RECOVERY_MS = 10_000;

/** @type {Roster} before the first answer */
export const UNKNOWN = { present: [], missing: [], expected: new Map(), recoveredAt: 0 };

/**
 * @param {Roster} before
 * @param {User[]} users as the server sent them
 * @param {{now: number, myId: number, heartbeatMs: number, activeWindowMs: number}} circumstances
 * @returns {{roster: Roster, joined: User[], left: User[]}}
 */
export function receive(before, users, { now, myId, heartbeatMs, activeWindowMs }) {
	const isFirst = before.answeredAt === undefined;
	const gapMs = now - before.answeredAt;
	const isStale = gapMs > activeWindowMs;
	const mayHaveRunOut = gapMs > activeWindowMs - 1.5 * heartbeatMs;
	const enteredAt = users.find(({ id }) => id === myId)?.entered_at;
	const isAsItWas = (/** @type {User} */ user) =>
		before.present.some(({ id, entered_at }) => id === user.id && entered_at === user.entered_at);
	const isForgotten =
		before.enteredAt !== undefined && enteredAt !== before.enteredAt && !users.some(isAsItWas);
	const recoveryMs = Math.max(2 * heartbeatMs, SHORTEST_RECOVERY_MS);
	const recoveredAt = mayHaveRunOut || isForgotten ? now + recoveryMs : before.recoveredAt;

	const present = withoutMe(users, myId);
	const gone = drawn(before).filter((user) => !isAmong(present, user));
	const expected = new Map([...before.expected].filter(([, until]) => until > now));
	const isKnown = (/** @type {User} */ user) => isAmong(drawn(before), user) || expected.has(user.id);
	const joined = isFirst || isStale ? [] : present.filter((user) => !isKnown(user));
	if (isStale) for (const { id } of gone) expected.set(id, recoveredAt);
	const waits = (isStale ? [] : gone).map((user) => {
		const since = before.missing.find((entry) => entry.user.id === user.id);
		return { user, until: Math.max(since?.until ?? now + CALM_MS, recoveredAt) };
	});
	const missing = waits.filter(({ until }) => until > now);
	const left = waits.filter(({ until }) => until <= now).map(({ user }) => user);
	const roster = { present, missing, expected, answeredAt: now, recoveredAt };
	return { roster: { ...roster, enteredAt: enteredAt ?? before.enteredAt }, joined, left };
}

/** The others to show, those who have only just vanished among them. @param {Roster} roster */
export const drawn = ({ present, missing }) => inOrder([...present, ...missing.map(({ user }) => user)]);

/** First come, first drawn: the server's order, newest beat first, would shuffle them all day. @param {User[]} users */
export function inOrder(users) {
	const key = (/** @type {User} */ user) => `${user.entered_at} ${user.id}`;
	return users.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Whether who is missing is gone: not while an outage's others may still be coming back. @param {Roster} roster */
export const isSettled = ({ answeredAt, recoveredAt }) => answeredAt >= recoveredAt;

/** When to ask whether somebody missing is really gone, in ms; Infinity: never. @param {Roster} roster */
export const checkAt = ({ missing }) => Math.min(...missing.map(({ until }) => until));

/** @param {User[]} users @param {number} myId */
export const withoutMe = (users, myId) => users.filter(({ id }) => id !== myId);

/** Away wins: nobody sits before that tab. @param {User} user @returns {"viewing"|"editing"|"away"} */
export const stateOf = ({ visible, activity }) => (visible ? activity : "away");

/** @param {User[]} users @param {User} user */
const isAmong = (users, user) => users.some(({ id }) => id === user.id);
