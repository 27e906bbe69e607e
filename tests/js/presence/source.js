/** A substitute for the browser's EventSource, which Node.js does not have. */
export class Source extends EventTarget {
	isClosed = false;

	close() {
		this.isClosed = true;
	}

	sends(name, data = {}) {
		this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(data) }));
	}

	breaks() {
		this.dispatchEvent(new Event("error"));
	}
}
