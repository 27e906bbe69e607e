// @ts-check
/**
 * <toast-region>: says politely who joined (3 s) and who left (2 s); at most four at a time, then one that counts the
 * rest. They stay while the pointer or the focus is on them.
 *
 * What is for this person alone stays until they have seen it.
 *
 * Hears:  `portal:join` {user}, `portal:leave` {user}, `portal:news` {text}.
 * @example <toast-region class="toasts" role="status" aria-live="polite" aria-atomic="false"></toast-region>
 */
import { on } from "../../lib/events.js";
import { make } from "../../lib/dom.js";
import { dressAvatar } from "./avatar.js";
import { fullName } from "./wording.js";

const MOST = 4;
const DURATION_MS = { joined: 3000, left: 2000 };
const NEWS_MS = 6000;
const KEY = "portal.news";

/** Whether the person before this browser wants to be told. */
export function wantsNews() {
	try {
		return localStorage.getItem(KEY) !== "off";
	} catch {
		return true; // storage may be forbidden altogether
	}
}

/** @param {boolean} wants */
export function setWantsNews(wants) {
	try {
		localStorage.setItem(KEY, wants ? "on" : "off");
	} catch {
		// as above
	}
}

class ToastRegion extends HTMLElement {
	/** @type {Map<HTMLElement, {ms: number, timer?: ReturnType<typeof setTimeout>}>} */
	#shown = new Map();
	/** @type {Record<string, {toast: HTMLElement, text: HTMLElement, count: number}>} those that count, by what */
	#rest = {};
	#isHeld = false;

	connectedCallback() {
		on("join", ({ user }) => this.#tell("joined", user));
		on("leave", ({ user }) => this.#tell("left", user));
		on("news", ({ text }) => this.#add(NEWS_MS, make("span", {}, text)));
		document.addEventListener("visibilitychange", () => this.#hold(this.#isHeld));
		for (const type of ["pointerenter", "focusin"]) this.addEventListener(type, () => this.#hold(true));
		for (const type of ["pointerleave", "focusout"]) this.addEventListener(type, () => this.#hold(false));
	}

	#tell(what, user) {
		if (!wantsNews()) return;
		if (this.#shown.size - Object.keys(this.#rest).length >= MOST) return this.#count(what);
		const avatar = dressAvatar(make("span", { ariaHidden: "true" }), user);
		const name = make("b", {}, fullName(user));
		this.#add(DURATION_MS[what], avatar, make("span", {}, name, ` ${what} this page 👋`));
	}

	/** One more than fit. */
	#count(what) {
		const text = this.#rest[what]?.text ?? make("span");
		const toast = this.#rest[what]?.toast ?? this.#add(DURATION_MS[what], text);
		const count = (this.#rest[what]?.count ?? 0) + 1;
		this.#rest[what] = { toast, text, count };
		text.textContent = `and ${count} more ${what}`;
		this.#run(toast);
	}

	#add(ms, ...content) {
		const dismiss = make("button", { type: "button", ariaLabel: "Dismiss" }, "×");
		const toast = make("div", { className: "toast" }, ...content, dismiss);
		dismiss.addEventListener("click", () => this.#remove(toast));
		this.#shown.set(toast, { ms });
		this.append(toast);
		this.#run(toast);
		return toast;
	}

	/** (Re)starts a toast's time. */
	#run(toast) {
		const entry = this.#shown.get(toast);
		clearTimeout(entry.timer);
		const isUnseen = document.hidden && entry.ms === NEWS_MS;
		if (!this.#isHeld && !isUnseen) entry.timer = setTimeout(() => this.#remove(toast), entry.ms);
	}

	#hold(isHeld) {
		this.#isHeld = isHeld;
		for (const toast of this.#shown.keys()) this.#run(toast);
	}

	#remove(toast) {
		this.#shown.delete(toast);
		for (const what in this.#rest) if (this.#rest[what].toast === toast) delete this.#rest[what];
		toast.remove();
		// The pointer or focus that held the last one may go with it without a word.
		if (this.#shown.size === 0) this.#isHeld = false;
	}
}

customElements.define("toast-region", ToastRegion);
