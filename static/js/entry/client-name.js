/** The script of pages that name a client and have no editor: they follow a new name. */
import { onSaved } from "../editing/remote/poll.js";
import { showNewName } from "../editing/remote/rename.js";
import { query } from "../lib/dom.js";

onSaved(query(document, "presence-page", HTMLElement), ({ changes }) => showNewName(changes));
