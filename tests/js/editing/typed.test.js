import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { together } from "../../../static/js/editing/typed.js";

const here = (values, version = 3, seen = "") => ({ version, seen, values });
const earlier = (values, version = 3, seen = "") => ({ version, seen, values });

describe("a draft of what is typed", () => {
	test("is nothing where nothing is changed", () => {
		assert.equal(together(here({})), null);
		assert.equal(together(here({}), null), null);
	});

	test("is what is typed", () => {
		assert.deepEqual(together(here({ phone: "1" }, 3, "phone:4")), here({ phone: "1" }, 3, "phone:4"));
	});

	test("beside an offer is the offer as long as nothing is typed", () => {
		assert.deepEqual(together(here({}), earlier({ phone: "1" })), earlier({ phone: "1" }));
	});

	test("holds the offer's values too, the newer ones where both have some", () => {
		assert.deepEqual(together(here({ notes: "b", town: "c" }), earlier({ phone: "1", notes: "a" })), {
			version: 3,
			seen: "",
			values: { phone: "1", notes: "b", town: "c" },
		});
	});

	test("starts from the older version; what was typed now says which newer one it knew", () => {
		const draft = together(
			here({ notes: "b", town: "c" }, 5, "town:6 email:6"),
			earlier({ phone: "1", notes: "a" }, 3, "phone:4 notes:4 status:4"),
		);
		assert.equal(draft.version, 3);
		assert.deepEqual(draft.seen.split(" ").sort(), ["notes:5", "phone:4", "town:6"]);
	});

	test("leaves the offer's own versions alone where the offer is the newer", () => {
		assert.deepEqual(together(here({ town: "c" }, 3), earlier({ phone: "1" }, 5)), {
			version: 3,
			seen: "phone:5",
			values: { phone: "1", town: "c" },
		});
	});
});
