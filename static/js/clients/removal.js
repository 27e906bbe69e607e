// @ts-check
/**
 * <removal-warning>: says who is editing what the page would remove, as the roster has it. Nothing where nobody does.
 *
 * Reads:  data-prefixes (JSON), how the names of what would go begin in rosters. Markup: templates/clients/editor/remove.html.
 * Hears:  `portal:roster` {others}.
 *
 * @example <removal-warning role="status" data-prefixes='["ISA A0001:"]'><div hidden><p data-sentence></p></div></removal-warning>
 */
import { on } from "../lib/events.js";
import { write } from "../lib/dom.js";
import { whoEditsWhatGoes } from "./removal-wording.js";

class RemovalWarning extends HTMLElement {
	connectedCallback() {
		const prefixes = JSON.parse(this.dataset.prefixes);
		on("roster", ({ others }) => {
			const sentence = whoEditsWhatGoes(others, prefixes);
			write(this.querySelector("[data-sentence]"), sentence);
			this.querySelector("div").hidden = !sentence;
		});
	}
}

customElements.define("removal-warning", RemovalWarning);
