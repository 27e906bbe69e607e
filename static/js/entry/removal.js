// @ts-check
/** The script of the page that asks before a part of a record is removed. */
import "../clients/removal.js";
