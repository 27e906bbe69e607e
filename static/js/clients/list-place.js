/**
 * Leads from a client page back to the list from which the user came, with its view, search, order and page.
 *
 * Markup: templates/clients/page/client.html, the breadcrumb. It is updated in place, so its link is set at the click.
 */
import { keptList } from "./kept-list.js";

document.addEventListener(
	"click",
	({ target }) => {
		const link = target instanceof Element && target.closest("[data-to-list]");
		const list = link && keptList();
		if (link instanceof HTMLAnchorElement && list) link.search = list.search;
	},
	{ capture: true },
);
