"""What one connection is sent: the events of one stream, or of all that a browser's tabs listen to together.

The server's thread or greenlet iterates; the hub posts into the streams. Holds no database connection, no transaction
and no application context.
"""

import threading
from collections.abc import Iterator, Sequence

from portal.live.clients import Client
from portal.live.stream import Stream


class Body:
    """Iterated by who sends it; `close` follows, whichever side ended it."""

    # A worker holds thousands of these.
    __slots__ = ("_arrived", "_client", "_first", "_is_shared", "_streams")

    def __init__(
        self, streams: Sequence[Stream], arrived: threading.Event, client: Client | None, *, is_shared: bool
    ) -> None:
        """`arrived` is what each of the streams sets. Of a shared body each event has its page as its id."""
        self._streams = list(streams)
        self._arrived = arrived
        self._client = client
        self._is_shared = is_shared
        self._first = b""
        if client is not None:
            for stream in streams:
                stream.cut = client.cut
            client.watch(self._break_off)

    @property
    def streams(self) -> Sequence[Stream]:
        return tuple(self._streams)

    def let_go(self, stream: Stream, last: bytes) -> None:
        """Without this stream, of which `last` is all that is sent; before anything is."""
        self._streams.remove(stream)
        self._first += self._tagged(stream, last)
        self._arrived.set()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while self._streams or self._first:
            self._arrived.wait()
            # Before the mailboxes are emptied: what is posted meanwhile sets it again.
            self._arrived.clear()
            frames, self._first = self._first, b""
            for stream in self.streams:
                for taken in stream.take():
                    frames += self._tagged(stream, taken)
                if stream.is_broken:  # and so are the others: they share the connection
                    raise StopIteration
                if stream.is_over:
                    self._streams.remove(stream)
                    stream.leave()
            if frames:
                return frames
        raise StopIteration

    def close(self) -> None:
        """By the server, when the body has been sent or could not be. What the hub has not ended the other end has."""
        for stream in self._streams:
            if not stream.is_ended:
                stream.break_off()
        if self._client is not None:
            self._client.close()
        for stream in self._streams:
            stream.leave()

    def _break_off(self) -> None:
        """The other end is gone. Called from an event loop's callback, so it never waits."""
        for stream in self.streams:
            stream.break_off()

    def _tagged(self, stream: Stream, frame: bytes) -> bytes:
        return b"id: " + stream.page.identifier.encode() + b"\n" + frame if self._is_shared and frame else frame
