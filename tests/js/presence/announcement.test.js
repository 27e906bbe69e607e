import assert from "node:assert/strict";
import { test } from "node:test";
import { announcementText } from "../../../static/js/presence/ui/announcement.js";
import { amelia, daniel, priya, viewer } from "../cast.js";

const said = (about) => announcementText({ joined: [], left: [], ...about });

test("one arrival is said as its toast says it, without the emoji", () =>
	assert.equal(said({ joined: [daniel] }), "Daniel Okafor joined this page."));
test("two arrivals are one sentence", () =>
	assert.equal(said({ joined: [daniel, priya] }), "Daniel Okafor and Priya Raman joined this page."));
test("of many the first two are named", () =>
	assert.equal(
		said({ joined: [daniel, priya, amelia, viewer("rhys")] }),
		"Daniel Okafor, Priya Raman and 2 others joined this page.",
	));
test("three are named, for one of them is not others", () =>
	assert.equal(
		said({ joined: [daniel, priya, amelia] }),
		"Daniel Okafor, Priya Raman and Amelia Hart joined this page.",
	));
test("arrivals and departures are one sentence", () =>
	assert.equal(
		said({ joined: [daniel], left: [priya, amelia] }),
		"Daniel Okafor joined this page; Priya Raman and Amelia Hart left this page.",
	));
