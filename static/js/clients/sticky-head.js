/**
 * <sticky-head>: the head of a client page. When the page is scrolled, it shrinks to one line that stays in sight, with
 * name, status, users and Edit. It keeps its height, so that no content moves: its upper part is above the window.
 * entry/client-page.js imports this module when the page is first scrolled. Style: clients/sticky-head.css.
 *
 * @example <sticky-head class="page-head"><div class="title"><h1>…</h1></div><div class="actions">…</div></sticky-head>
 */
import { createElement } from "../lib/dom.js";

const LINE_REM = 3.5;

class StickyHead extends HTMLElement {
	/** below the head; it shows where the head would end if it did not stick */
	#end = createElement("div", { className: "sticky-head-end" });

	connectedCallback() {
		this.after(this.#end);
		const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
		const line = LINE_REM * rem;
		new IntersectionObserver(([entry]) => this.#shrink(entry.boundingClientRect.top < line), {
			rootMargin: `${-line}px 0px 0px`,
		}).observe(this.#end);
		// The full head has another height when its width changes.
		new ResizeObserver(() => this.classList.contains("is-compact") && this.#measure()).observe(this);
	}

	/** @param {boolean} isCompact */
	#shrink(isCompact) {
		// The click is lost if the pressed control moves away before the pointer is released.
		if (this.matches(":active")) requestAnimationFrame(() => this.#shrink(isCompact));
		else if (isCompact) this.#measure();
		else this.classList.remove("is-compact");
	}

	/** Shrink the head, and keep the height that it has without that. */
	#measure() {
		this.classList.remove("is-compact");
		this.style.setProperty("--full-height", `${this.getBoundingClientRect().height}px`);
		this.classList.add("is-compact");
	}
}

customElements.define("sticky-head", StickyHead);
