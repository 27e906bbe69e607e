/**
 * The script of the pages of an import. Refuses files that are too large before they are sent, and shows how far the import
 * is while the browser waits for the response, or while another tab does.
 *
 * Reads:  data-upload, data-max-bytes, data-too-large, data-error, data-busy; data-apply, data-running,
 *         data-progress-url, data-status, data-line.
 * Markup: templates/clients/csv/.
 */
import { query, queryAll, setText } from "../lib/dom.js";
import { call } from "../lib/http.js";

const EVERY_MS = 1_000;
const BUSY = "The files are uploaded and checked. Large files take some seconds.";

for (const form of queryAll(document, "form[data-upload]", HTMLFormElement)) {
	const input = query(form, "input[type=file]", HTMLInputElement);
	const error = query(form, ".error", HTMLElement);
	const check = () => {
		const bytes = [...(input.files ?? [])].reduce((sum, file) => sum + file.size, 0);
		const isTooLarge = bytes > Number(form.dataset.maxBytes);
		error.hidden = !isTooLarge;
		input.ariaInvalid = isTooLarge ? "true" : null;
		query(form, ".field", HTMLElement).classList.toggle("has-error", isTooLarge);
		if (isTooLarge) setText(query(error, "[data-error]", HTMLElement), form.dataset.tooLarge ?? "");
		return !isTooLarge;
	};
	input.addEventListener("change", check);
	form.addEventListener("submit", (event) => {
		if (check()) {
			query(form, "button", HTMLButtonElement).disabled = true;
			setText(query(form, "[data-busy]", HTMLElement), BUSY);
			return;
		}
		event.preventDefault();
		input.focus();
	});
}

for (const form of queryAll(document, "form[data-apply]", HTMLFormElement)) {
	form.addEventListener("submit", () => {
		query(form, "button", HTMLButtonElement).disabled = true;
		query(form, "[data-status]", HTMLElement).hidden = false;
		follow(form);
	});
}

for (const page of queryAll(document, "[data-running]", HTMLElement)) follow(page, () => location.reload());

/**
 * Show the progress every second, until the browser opens the response or `whenDone` is called. A second reload would stop
 * the first, and the page of large files takes some seconds.
 * @param {HTMLElement} part
 * @param {() => void} [whenDone]
 */
function follow(part, whenDone) {
	const line = query(part, "[data-line]", HTMLElement);
	setTimeout(async () => {
		const url = /** @type {string} */ (part.dataset.progressUrl);
		const now = await call("GET", url).catch(() => null);
		if (now?.progress) setText(line, now.progress);
		if (whenDone && now && !now.is_running) whenDone();
		else follow(part, whenDone);
	}, EVERY_MS);
}
