/** The script of a page between two steps of long work: it sends the form that does the next one. */
import { query } from "../lib/dom.js";

query(document, "form[data-next-step]", HTMLFormElement).requestSubmit();
