// @ts-check
/**
 * <presence-dots>: who is on each record of a list, in small avatars, and in words who edits it. All rows share one call, on load, on becoming
 * visible and at each heartbeat while visible. The list itself is no meeting place.
 *
 * Reads:  data-page ("client-42") of an ancestor, data-heartbeat-seconds of one that all rows share; <body data-profile-id>.
 * @example <tr data-page="client-42"> … <td><presence-dots></presence-dots></td></tr>
 */
import { make, write } from "../../lib/dom.js";
import { myId } from "../../session/session.js";
import { rosters } from "../sync/api.js";
import { drawAvatars } from "./avatar.js";
import { Heartbeat } from "../sync/heartbeat.js";
import { inOrder, withoutMe } from "../sync/roster.js";
import { editorsFirst, whoEdits } from "./wording.js";

/** @type {PresenceDots[]} */
const rows = [];
const heart = new Heartbeat({
	send: () => rosters(rows.map((row) => row.page)),
	onResponse: (answer) => {
		for (const row of rows) row.draw(answer[row.page] ?? []);
	},
	onFailure: ({ status }) => [401, 404].includes(status) && heart.stop(),
});

export class PresenceDots extends HTMLElement {
	#list = make("ul", { className: "avatars small", hidden: true });
	#words = make("small");

	connectedCallback() {
		this.append(this.#list, this.#words);
		if (!myId() || rows.push(this) > 1) return;
		const shared = /** @type {HTMLElement} */ (this.closest("[data-heartbeat-seconds]"));
		heart.heartbeatMs = Number(shared.dataset.heartbeatSeconds) * 1000;
		followVisibility();
	}

	get page() {
		return /** @type {HTMLElement} */ (this.closest("[data-page]")).dataset.page ?? "";
	}

	/** @param {import("../sync/roster.js").User[]} users */
	draw(users) {
		const others = editorsFirst(inOrder(withoutMe(users, myId())));
		this.#list.hidden = others.length === 0;
		drawAvatars(this.#list, others);
		write(this.#words, whoEdits(others));
	}
}

function followVisibility() {
	const follow = () => (document.hidden ? heart.stop() : heart.start());
	queueMicrotask(follow); // when the rows after the first are known too
	document.addEventListener("visibilitychange", follow);
	window.addEventListener("pageshow", ({ persisted }) => persisted && follow());
}
