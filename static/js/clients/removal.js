/**
 * <removal-warning>: says which users edit what the page would remove. It is empty if there are none.
 *
 * Reads:   data-prefixes, as JSON how the names of what would be removed begin in rosters.
 * Listens: `portal:roster`.
 * Markup:  templates/clients/editor/remove.html.
 *
 * @example <removal-warning role="status" data-prefixes='["ISA A0001:"]'><div hidden><p data-sentence></p></div></removal-warning>
 */
import { on } from "../lib/events.js";
import { query, setText } from "../lib/dom.js";
import { removalWarning } from "./removal-wording.js";

class RemovalWarning extends HTMLElement {
	connectedCallback() {
		const prefixes = JSON.parse(this.dataset.prefixes ?? "[]");
		on("roster", ({ others }) => {
			const sentence = removalWarning(others, prefixes);
			setText(query(this, "[data-sentence]", HTMLElement), sentence);
			query(this, "div", HTMLElement).hidden = !sentence;
		});
	}
}

customElements.define("removal-warning", RemovalWarning);
