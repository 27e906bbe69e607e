/**
 * <presence-dots>: the users on a record of a list, in small avatars, and in words who edits it. The event stream sends
 * each row when it opens and when it changes. Without the stream all rows share one call: on load, when the page becomes
 * visible, and at each heartbeat while it is visible. The list itself reports no presence.
 *
 * Reads:   data-page ("client-42") of an ancestor; data-heartbeat-seconds of an ancestor that all rows share;
 *          <body data-profile-id>.
 * Listens: `portal:row`, `portal:rows-shown`. Fires: `portal:rows-polled`.
 *
 * @example <tr data-page="client-42"> … <td><presence-dots></presence-dots></td></tr>
 */
import { createElement, setText } from "../../lib/dom.js";
import { fire, on } from "../../lib/events.js";
import { loadStylesheet } from "../../lib/lazy.js";
import { myId } from "../../session/session.js";
import { rosters } from "../sync/api.js";
import { renderAvatars } from "./avatar.js";
import { Heartbeat } from "../sync/heartbeat.js";
import { isLive, lastRow } from "../sync/own-stream.js";
import { inOrder, withoutMe } from "../sync/roster.js";
import { editorsFirst, whoEdits } from "./wording.js";

loadStylesheet("presence/states").catch(() => {}); // without it the words and titles say the same

/** @type {Set<PresenceDots>} */
const rows = new Set();
let isFollowing = false;
const heartbeat = new Heartbeat({
	send: async () => (isLive() ? null : rosters([...rows].map((row) => row.page))),
	onResponse: (rosters) => {
		if (!rosters || isLive()) return; // the stream has sent each row
		for (const row of rows) row.draw(rosters[row.page] ?? []);
		fire("rows-polled");
	},
	onFailure: ({ status }) => [401, 404].includes(status) && heartbeat.stop(),
});

export class PresenceDots extends HTMLElement {
	#list = createElement("ul", { className: "avatars small", hidden: true });
	#words = createElement("small");

	connectedCallback() {
		this.append(this.#list, this.#words);
		if (!myId()) return;
		rows.add(this);
		const sent = lastRow(this.page);
		if (sent) this.draw(sent.users ?? []);
		if (isFollowing) return;
		isFollowing = true;
		const shared = /** @type {HTMLElement} */ (this.closest("[data-heartbeat-seconds]"));
		heartbeat.heartbeatMs = Number(shared.dataset.heartbeatSeconds) * 1000;
		on("row", ({ page, users = [] }) => {
			for (const row of rows) if (row.page === page) row.draw(users);
		});
		on("rows-shown", () => heartbeat.isRunning && heartbeat.beat()); // the stream of the new rows opens only now
		followVisibility();
	}

	disconnectedCallback() {
		rows.delete(this);
	}

	get page() {
		return /** @type {HTMLElement} */ (this.closest("[data-page]")).dataset.page ?? "";
	}

	/** @param {import("../sync/roster.js").User[]} users */
	draw(users) {
		const others = editorsFirst(inOrder(withoutMe(users, myId())));
		this.#list.hidden = others.length === 0;
		renderAvatars(this.#list, others);
		setText(this.#words, whoEdits(others));
	}
}

function followVisibility() {
	const follow = () => (document.hidden ? heartbeat.stop() : heartbeat.start());
	queueMicrotask(follow); // after all rows are connected
	document.addEventListener("visibilitychange", follow);
	window.addEventListener("pageshow", ({ persisted }) => persisted && follow());
}
