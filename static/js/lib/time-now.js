/** Return the time in London, "10:42". */
export const timeNow = () =>
	new Date().toLocaleTimeString("en-GB", { timeStyle: "short", timeZone: "Europe/London" });
