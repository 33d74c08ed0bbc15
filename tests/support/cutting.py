"""A TCP proxy that cuts connections at random moments."""

from __future__ import annotations

import asyncio
from random import Random
from threading import Thread
from typing import Self

MOST_BYTES = 3_000
"""A connection is cut at the latest after so many bytes one way: three or four requests, or a few answers."""

MOST_SECONDS = 0.5
CHUNK = 65_536


class CuttingProxy:
    """Listens on a port of its own until closed; forwards to another, and cuts each connection sooner or later.

    Each connection has a number of bytes that it carries each way, and a time that it lasts, drawn at random: it may
    end before, within or after a request, and before, within or after its answer. `cuts` counts connections cut,
    `swallowed` those whose server had something to say that its client never heard.
    """

    def __init__(self, port: int, seed: int) -> None:
        self.cuts = 0
        self.swallowed = 0
        self.port = 0
        self._target = port
        self._rng = Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="cutting proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.start_server(self._carry, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
        there, back = (self._rng.randrange(MOST_BYTES) for _ in range(2))
        ways = [
            asyncio.create_task(_pump(client, to_server, there)),
            asyncio.create_task(_pump(server, to_client, back)),
        ]
        done, _ = await asyncio.wait(
            ways, timeout=self._rng.uniform(0, MOST_SECONDS), return_when=asyncio.FIRST_COMPLETED
        )
        self.cuts += 1
        self.swallowed += ways[1] in done and ways[1].result()
        for way in ways:
            way.cancel()
        for end in (to_client, to_server):
            end.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, most: int) -> bool:
    """Carry so many bytes; whether there were more."""
    try:
        while chunk := await source.read(CHUNK):
            sink.write(chunk[:most])
            await sink.drain()
            if len(chunk) > most:
                return True
            most -= len(chunk)
    except ConnectionError:
        pass
    return False
