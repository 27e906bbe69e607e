/** Stands for the browser's EventSource, which Node does not have. */
export class Source extends EventTarget {
	isClosed = false;

	close() {
		this.isClosed = true;
	}

	says(name, data = {}) {
		this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(data) }));
	}

	breaks() {
		this.dispatchEvent(new Event("error"));
	}
}
