/**
 * <toast-region>: toasts that announce who has joined (3 s) and left (2 s). It shows at most four at a time, and then
 * one that counts the rest. Toasts stay while the pointer or the focus is on them.
 *
 * Screen readers announce the toasts of two seconds in one sentence (announcement.js), without their emoji and buttons.
 *
 * Listens: `portal:join`, `portal:leave`.
 *
 * @example <toast-region class="toasts" role="log" aria-live="off"><p class="visually-hidden" role="status"></p></toast-region>
 */
import { on } from "../../lib/events.js";
import { createElement, query } from "../../lib/dom.js";
import { announcementText } from "./announcement.js";
import { renderAvatar } from "./avatar.js";
import { wantsToasts } from "./toast-setting.js";
import { fullName } from "./wording.js";

/** @typedef {import("../sync/roster.js").User} User */
/** @typedef {"joined"|"left"} Kind */

const MAX_TOASTS = 4;
/** @type {Record<Kind, number>} */
const DURATION_MS = { joined: 3000, left: 2000 };
const COLLECTION_MS = 2000;

class ToastRegion extends HTMLElement {
	/** @type {Map<HTMLElement, {ms: number, timer?: ReturnType<typeof setTimeout>}>} */
	#shown = new Map();
	/** @type {Map<Kind, {toast: HTMLElement, text: HTMLElement, count: number}>} the toasts that count */
	#counters = new Map();
	#isHeld = false;
	#status = query(this, "[role=status]", HTMLElement);
	/** @type {import("./announcement.js").Collected|null} what screen readers have not announced yet */
	#collected = null;

	connectedCallback() {
		on("join", ({ user }) => this.#announce("joined", user));
		on("leave", ({ user }) => this.#announce("left", user));
		for (const type of ["pointerenter", "focusin"]) this.addEventListener(type, () => this.#hold(true));
		for (const type of ["pointerleave", "focusout"]) this.addEventListener(type, () => this.#hold(false));
	}

	/**
	 * @param {Kind} kind
	 * @param {User} user
	 */
	#announce(kind, user) {
		if (!wantsToasts()) return;
		this.#collect((collected) => collected[kind].push(user));
		if (this.#shown.size - this.#counters.size >= MAX_TOASTS) return this.#count(kind);
		const avatar = renderAvatar(createElement("span", { ariaHidden: "true" }), user);
		const name = createElement("b", {}, fullName(user));
		this.#add(DURATION_MS[kind], avatar, createElement("span", {}, name, ` ${kind} this page 👋`));
	}

	/**
	 * Add to the sentence that screen readers announce in at most two seconds.
	 * @param {(collected: import("./announcement.js").Collected) => void} add
	 */
	#collect(add) {
		const isFirst = !this.#collected;
		this.#collected ??= { joined: [], left: [] };
		add(this.#collected);
		if (!isFirst) return;
		this.#status.textContent = ""; // or the same sentence would not be said again
		setTimeout(() => {
			if (this.#collected) this.#status.textContent = announcementText(this.#collected);
			this.#collected = null;
		}, COLLECTION_MS);
	}

	/**
	 * Count a user for whom there is no room.
	 * @param {Kind} kind
	 */
	#count(kind) {
		const known = this.#counters.get(kind);
		const text = known?.text ?? createElement("span");
		const toast = known?.toast ?? this.#add(DURATION_MS[kind], text);
		const count = (known?.count ?? 0) + 1;
		this.#counters.set(kind, { toast, text, count });
		text.textContent = `and ${count} more ${kind}`;
		this.#startTimer(toast);
	}

	/**
	 * @param {number} ms
	 * @param {Node[]} content
	 */
	#add(ms, ...content) {
		const dismiss = createElement(
			"button",
			{ type: "button", className: "dismiss", ariaLabel: "Dismiss" },
			"×",
		);
		const toast = createElement("div", { className: "toast" }, ...content, dismiss);
		dismiss.addEventListener("click", () => this.#remove(toast));
		this.#shown.set(toast, { ms });
		this.append(toast);
		this.#startTimer(toast);
		return toast;
	}

	/**
	 * Start a toast's time, or start it again.
	 * @param {HTMLElement} toast
	 */
	#startTimer(toast) {
		const entry = this.#shown.get(toast);
		if (!entry) return;
		clearTimeout(entry.timer);
		if (!this.#isHeld) entry.timer = setTimeout(() => this.#remove(toast), entry.ms);
	}

	/** @param {boolean} isHeld */
	#hold(isHeld) {
		this.#isHeld = isHeld;
		for (const toast of this.#shown.keys()) this.#startTimer(toast);
	}

	/** @param {HTMLElement} toast */
	#remove(toast) {
		this.#shown.delete(toast);
		for (const [kind, counter] of this.#counters) if (counter.toast === toast) this.#counters.delete(kind);
		toast.remove();
		// The pointer or focus that held the last toast leaves without an event when the toast is removed.
		if (this.#shown.size === 0) this.#isHeld = false;
	}
}

customElements.define("toast-region", ToastRegion);
