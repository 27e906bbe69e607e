/** All sentences about viewers. The functions are pure. The original request prescribes some of the sentences. */
import { stateOf } from "../sync/roster.js";

/** @typedef {import("../sync/roster.js").User} User */
/** @typedef {import("../sync/roster.js").State} State */

/** @param {User} user */
export const fullName = (user) => `${user.first_name} ${user.last_name}`.trim();

/**
 * Return the indicator's sentence in clauses, those of editors first; none if the user is alone. A first clause about
 * viewers is worded as the original request prescribes.
 * @param {User[]} others
 * @param {string} label "client record"
 * @returns {{state: State, text: string}[]}
 */
export function whoIsHere(others, label) {
	const editors = editingWhat(others.filter(isEditing), (user) => {
		const names = editedNames(user);
		return names.length ? names : [`this ${label}`];
	});
	const waiting = whoIs(others, "waiting");
	const isFirst = !editors && !waiting;
	return [
		{ state: /** @type {State} */ ("editing"), text: editors },
		{ state: /** @type {State} */ ("waiting"), text: waiting },
		{
			state: /** @type {State} */ ("viewing"),
			text: whoIs(others, "viewing", isFirst ? ` this ${label}` : ""),
		},
		{ state: /** @type {State} */ ("away"), text: whoIs(others, "away") },
	].filter(({ text }) => text);
}

/**
 * Return "Priya is waiting" or "2 users are waiting"; "" if no user is in this state.
 * @param {User[]} others
 * @param {State} state
 * @param {string} [what] " this client record", if one user does it "also"
 */
function whoIs(others, state, what = "") {
	const [first, ...rest] = others.filter((user) => stateOf(user) === state);
	if (!first) return "";
	if (rest.length) return `${rest.length + 1} users are ${state}${what}`;
	return `${first.first_name} is ${what && "also "}${state}${what}`;
}

/**
 * Return "Daniel is editing" or "Daniel and Priya are editing"; "" if no user edits.
 * @param {User[]} users
 */
export function whoEdits(users) {
	const [first, second, ...rest] = users.filter(isEditing);
	if (!first) return "";
	if (!second) return `${first.first_name} is editing`;
	const others = rest.length ? `${rest.length + 1} others` : second.first_name;
	return `${first.first_name} and ${others} are editing`;
}

/**
 * Whether a user edits, in a hidden tab too: an open editor holds its changes.
 * @param {User} user
 */
export const isEditing = ({ activity }) => activity === "editing";

/**
 * Return the names of the fields that a user is in or has changed. The name of a part ("ISA A0001") is left out if the
 * user is in one of its fields ("ISA A0001: Provider").
 * @param {User} user
 */
export function editedNames({ fields, focus }) {
	if (!focus) return fields;
	return [focus, ...fields.filter((name) => name !== focus && !focus.startsWith(`${name}: `))];
}

/**
 * Return "Daniel is editing Phone", or "Daniel and Priya are editing".
 * @param {User[]} users who edit
 * @param {(user: User) => string[]} names of what a user edits here
 */
export function editingWhat(users, names) {
	const what = users.length === 1 && joinNames(names(users[0]));
	return what ? `${whoEdits(users)} ${what}` : whoEdits(users);
}

/** @type {Record<State, string>} */
const TITLES = { viewing: "Active now", editing: "Editing", waiting: "Waiting to edit", away: "Away" };

/**
 * Return "Ann Lee – Active now".
 * @param {User} user
 */
export function avatarTitle(user) {
	const state = stateOf(user);
	return `${fullName(user)} – ${TITLES[state]}${user.visible || state === "away" ? "" : ", away"}`;
}

/**
 * Return "Editing Phone and Email", "Waiting to edit" or "Away"; "" for a user who only views.
 * @param {User} user
 */
export function activityText(user) {
	const { activity, visible, waiting_since } = user;
	if (activity === "viewing" && waiting_since) return visible ? "Waiting to edit" : "Waiting to edit, away";
	if (activity === "viewing") return visible ? "" : "Away";
	return `Editing ${joinNames(editedNames(user))}`.trim() + (visible ? "" : ", away");
}

/** @param {number} seconds */
export function lastSeen(seconds) {
	const minutes = Math.floor(seconds / 60);
	const time = ["less than a minute", "1 minute"][minutes] ?? `${minutes} minutes`;
	return `Last seen: ${time} ago`;
}

/**
 * Return the sentence for the users who are asked to finish.
 * @param {User[]} asking in the order in which they asked
 * @param {string} label
 */
export const nudgeText = (asking, label) => waitingToEdit(asking, fullName, label);

/**
 * Return the sentence in the save bar of a user who is asked to finish: "Tomasz is waiting to edit this client."
 * @param {User[]} asking in the order in which they asked
 * @param {string} label "client"
 */
export const handOverText = (asking, label) =>
	`${waitingToEdit(asking, ({ first_name }) => first_name, label)}.`;

/**
 * @param {User[]} asking
 * @param {(user: User) => string} nameOf
 * @param {string} label
 */
function waitingToEdit([first, ...rest], nameOf, label) {
	const who = rest.length ? `${nameOf(first)} and ${rest.length} more are` : `${nameOf(first)} is`;
	return `${who} waiting to edit this ${label}`;
}

/**
 * Sort users who edit before users who view; otherwise keep the order.
 * @param {User[]} users
 */
export function editorsFirst(users) {
	const rank = (/** @type {User} */ user) => (isEditing(user) ? 0 : 1);
	return users.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Return "Phone", "Phone and Email" or "Phone, Email and 3 more".
 * @param {string[]} names
 */
export function joinNames(names) {
	if (names.length < 3) return names.join(" and ");
	return `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`;
}
