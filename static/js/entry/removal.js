/** The script of the page that removes a part of a record. */
import "../clients/removal.js";
