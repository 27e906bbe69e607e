// @ts-check
/**
 * <presence-waiting>: the banner of somebody who waits for the others to leave; opens the editor then, on fresh data.
 * It reads every roster the page receives, one at least every 30 s, and goes on waiting through an outage.
 *
 * Reads:  data-label ("client record"). Markup: templates/presence/_waiting.html, inside <presence-page>.
 * Hears:  `presence:wait` {href}, `presence:roster` {others, isSettled}, `presence:connection` {state}.
 */
import { on } from "../events.js";
import { make, write } from "../markup.js";
import { dressAvatar } from "./avatar.js";
import { editorsFirst, waitingFor } from "./wording.js";

const ASK_EVERY_MS = 30_000;

export class PresenceWaiting extends HTMLElement {
	/** @type {string|null} the editor; null when not waiting */
	#href = null;
	#title = document.title;
	#trouble = "";

	connectedCallback() {
		on("wait", ({ href }) => this.#start(href));
		on("roster", (detail) => this.#href && this.#heard(detail));
		on("connection", ({ state }) => {
			if (state === "gone") this.#stop();
			this.#trouble = state === "online" ? "" : "Reconnecting – still waiting";
			this.#note("");
		});
		document.addEventListener("visibilitychange", () => this.#drawTitle());
		this.querySelector("button").addEventListener("click", () => this.#stop());
	}

	#start(href) {
		this.#href = href;
		this.hidden = false;
		this.#note("");
		this.#draw(this.#page.others);
		this.#page.beatAtLeastEvery(ASK_EVERY_MS);
	}

	#stop() {
		this.#href = null;
		this.hidden = true;
		this.#drawTitle();
		this.#page.beatAtLeastEvery(Number.POSITIVE_INFINITY);
	}

	#heard({ others, isSettled }) {
		if (others.length || !isSettled) {
			this.#note(
				others.length ? "Still in use – checked just now" : "Reconnected – checking who is still here",
			);
			return this.#draw(others);
		}
		location.assign(this.#href);
		this.#stop();
	}

	#draw(others) {
		const [first] = editorsFirst(others);
		if (first) dressAvatar(this.querySelector(".avatar"), first);
		const pieces = waitingFor(others, this.dataset.label);
		const sentence = this.querySelector("[data-sentence]");
		// It is announced: touched only when it says something new.
		if (sentence.textContent !== pieces.join("")) {
			sentence.replaceChildren(...pieces.map((text, i) => (i % 2 ? make("b", {}, text) : text)));
		}
		this.#drawTitle();
	}

	#note(text) {
		write(this.querySelector("[data-note]"), this.#trouble || text);
	}

	#drawTitle() {
		const isShown = this.#href && document.hidden;
		document.title = isShown ? `Waiting – ${this.#title}` : this.#title;
	}

	get #page() {
		return /** @type {import("./page.js").PresencePage} */ (this.closest("presence-page"));
	}
}
