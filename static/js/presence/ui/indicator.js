// @ts-check
/**
 * <presence-indicator>: who else is on this page, as avatars and one sentence; everybody by name, and whether to be told
 * of arrivals, in a small menu. Nothing when alone.
 *
 * Reads:  data-label ("client record"). Markup: templates/presence/_indicator.html.
 * Hears:  `portal:roster` {others}, `portal:connection` {state}.
 */
import { on } from "../../lib/events.js";
import { letScroll, write } from "../../lib/dom.js";
import { drawAvatars, drawPeople } from "./avatar.js";
import { setWantsNews, wantsNews } from "./toasts.js";
import { editorsFirst, whoIsHere } from "./wording.js";

class PresenceIndicator extends HTMLElement {
	connectedCallback() {
		on("roster", ({ others }) => this.#draw(editorsFirst(others)));
		on("connection", ({ state }) => {
			this.classList.toggle("is-old", state !== "online");
			if (state === "gone") this.hidden = true;
		});
		this.#setUpMenu(this.querySelector("details"));
		const choice = this.querySelector("input");
		choice.checked = wantsNews();
		choice.addEventListener("change", () => setWantsNews(choice.checked));
	}

	#draw(others) {
		drawAvatars(this.querySelector(".avatars"), others);
		drawPeople(this.querySelector(".viewers"), others);
		write(this.querySelector("[data-sentence]"), whoIsHere(others, this.dataset.label));
		this.hidden = others.length === 0;
		letScroll(this.querySelector(".viewers"));
	}

	#setUpMenu(menu) {
		document.addEventListener("click", ({ target }) => {
			if (!menu.contains(target)) menu.open = false;
		});
		menu.addEventListener("toggle", () => letScroll(menu.querySelector(".viewers")));
		menu.addEventListener("keydown", ({ key }) => {
			if (key !== "Escape") return;
			menu.open = false;
			menu.firstElementChild.focus();
		});
	}
}

customElements.define("presence-indicator", PresenceIndicator);
