/** The dialog that shows the keys. Loaded by shortcuts.js with its stylesheets. */
import { createElement } from "../lib/dom.js";

/** @type {[string, string[]][]} */
const KEYS = [
	["Find a client", ["/", "Ctrl K"]],
	["Edit the client that is open", ["e"]],
	["Go to the list of clients", ["g", "l"]],
	["Show the keys", ["?"]],
	["Close a dialog", ["Esc"]],
];

export function openHelp() {
	const form = createElement("form", { method: "dialog" });
	const list = createElement("dl", { className: "keys" });
	for (const [what, keys] of KEYS) {
		const shown = keys.flatMap((key, place) => [
			...(place ? [key === "l" ? " then " : " or "] : []),
			createElement("kbd", {}, key),
		]);
		list.append(createElement("dt", {}, what), createElement("dd", {}, ...shown));
	}
	const together = createElement("a", { href: "/help/editing-together" }, "How we edit together");
	const account = createElement("a", { href: "/account#keys-title" }, "your account page");
	form.append(
		createElement("h2", { id: "keys-help" }, "Keys"),
		list,
		createElement(
			"p",
			{},
			"The keys work while no field has the focus. You can switch single keys off on ",
			account,
			".",
		),
		createElement("p", {}, together, " says what happens when several users edit one client."),
		createElement(
			"footer",
			{},
			createElement("button", { className: "button primary", autofocus: true }, "Close"),
		),
	);
	const dialog = createElement("dialog", { className: "modal" }, form);
	dialog.setAttribute("aria-labelledby", "keys-help");
	dialog.addEventListener("close", () => dialog.remove());
	document.body.append(dialog);
	dialog.showModal();
}
