/** The meaning of single keys: "/" finds a client, "e" edits, "g" then "l" leads to the list, "?" shows the keys. Pure. */

/** @typedef {"find"|"edit"|"list"|"help"} Command */

const SEQUENCE_MS = 1500;
/** @type {Record<string, Command>} */
const COMMANDS = { "/": "find", e: "edit", "?": "help" };

/** Reads keys one after the other. */
export class Keys {
	#goAt = -Infinity;

	/**
	 * Return the command that the key completes.
	 * @param {string} key
	 * @param {number} now in milliseconds
	 * @returns {Command|undefined}
	 */
	read(key, now) {
		const isSecond = now - this.#goAt <= SEQUENCE_MS;
		this.#goAt = key === "g" ? now : -Infinity;
		if (isSecond && key === "l") return "list";
		return COMMANDS[key];
	}
}
