/** The cast of the tests, as the presence API sends them: three users of tests/support/cast.py, and Priya. */

const PEOPLE = {
	amelia: ["Amelia", "Hart"],
	daniel: ["Daniel", "Okafor"],
	priya: ["Priya", "Raman"],
	rhys: ["Rhys", "Morgan"],
};

/** Return a viewer who has just opened the page; `about` overrides what the server would send. */
export function viewer(name, about = {}) {
	const [first_name, last_name] = PEOPLE[name];
	return {
		id: Object.keys(PEOPLE).indexOf(name) + 1,
		first_name,
		last_name,
		email: `${name}@kingston.example`,
		last_seen: "2026-11-22T10:42:00+00:00",
		seconds_ago: 0,
		entered_at: "2026-11-22T10:00:00+00:00",
		may_edit: true,
		activity: "viewing",
		visible: true,
		fields: [],
		...about,
	};
}

export const amelia = viewer("amelia");
export const daniel = viewer("daniel");
export const priya = viewer("priya");
