// @ts-check
/**
 * A form that knows what has been changed in it: marks the fields, counts them in the save bar, tells presence what is
 * edited, warns before typed values are lost, and is sent once.
 *
 * Reads:  <form data-edit-form>, data-unsaved on it where it came back with values that are not saved; each control with its
 *         label in a `.field`; [data-change-count] where it is to be shown; the submit button.
 * Fires:  `presence:activity` {activity: "editing", fields (labels)}, `presence:sign-in-wanted` when sent while signed out.
 * Hears:  `presence:connection` {state}.
 */
import { fire, on } from "../events.js";
import { fieldsChanged } from "../presence/wording.js";
import { fieldName, isChanged } from "./changes.js";

/** @param {HTMLFormElement} form */
export function watchForm(form) {
	const button = form.querySelector('[type="submit"]');
	let isSending = false;
	let isSignedOut = false;
	let reported = "";

	const follow = () => {
		const fields = markChanges(form);
		drawCount(form, fields.length);
		if (reported !== fields.join()) fire("activity", { activity: "editing", fields });
		reported = fields.join();
	};
	const setSending = (is) => {
		isSending = is;
		button.ariaDisabled = `${is}`; // `disabled` would throw the focus away
	};

	form.addEventListener("input", follow);
	form.addEventListener("submit", (event) => {
		if (isSignedOut) fire("sign-in-wanted");
		if (isSignedOut || isSending) event.preventDefault();
		else setSending(true);
	});
	on("connection", ({ state }) => {
		isSignedOut = state === "signed-out";
	});
	window.addEventListener("beforeunload", (event) => {
		if (!isSending && (reported || "unsaved" in form.dataset)) event.preventDefault();
	});
	const begin = () => {
		setSending(false);
		follow();
	};
	// Also after the back button, and where the browser restored what was typed.
	window.addEventListener("pageshow", begin);
	begin();
}

/** The names of the changed fields, in their order. */
function markChanges(form) {
	const fields = new Map();
	for (const control of form.elements) {
		const field = control.closest(".field");
		if (field && control.name) fields.set(field, fields.get(field) || isChanged(control));
	}
	for (const [field, changed] of fields) field.classList.toggle("changed", changed);
	return [...fields].filter(([, changed]) => changed).map(([field]) => nameOf(field));
}

/** The label's own text, without a badge inside it. */
function nameOf(field) {
	return fieldName(field.querySelector("legend, label").firstChild.textContent);
}

function drawCount(form, count) {
	const counter = form.querySelector("[data-change-count]");
	if (counter)
		counter.textContent = !count && "unsaved" in form.dataset ? "Not saved yet" : fieldsChanged(count);
}
