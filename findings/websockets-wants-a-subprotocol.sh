#!/bin/sh
# websockets 17.4 (Python 3.11): a server that is given `subprotocols` refuses every upgrade (400) that offers none of them, also one that
# offers no subprotocol at all, as a page's `new WebSocket(url)` does. aiohttp 3.14.5 with the same list takes all of them, and names
# no subprotocol in its answer where none is shared, which is for the client to judge then (RFC 6455, section 4.1).
#
# Seen on 30 November 2026:
#   websockets: offered chat.v1: 101 chat.v1 | offered chat.v2: 400 | offered nothing: 400
#   aiohttp: offered chat.v1: 101 chat.v1 | offered chat.v2: 101 - | offered nothing: 101 -
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check websockets==17.4 aiohttp==3.14.5
cat > "$folder/finding.py" <<'PY'
import asyncio
import sys

from aiohttp import web
from websockets.asyncio.server import serve

KNOWN = "chat.v1"


async def answer(port, offered):
    """The status of an upgrade that offers this, and the subprotocol that was agreed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    offer = f"Sec-WebSocket-Protocol: {offered}\r\n" if offered else ""
    writer.write((
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{offer}"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    writer.close()
    status = head[0].split()[1]
    agreed = [line.split(": ")[1] for line in head if line.lower().startswith("sec-websocket-protocol")]
    return f"{status} {agreed[0] if agreed else '-'}" if status == "101" else status


async def told(name, port):
    answers = [f"offered {offer or 'nothing'}: {await answer(port, offer)}" for offer in (KNOWN, "chat.v2", None)]
    print(line := f"{name}: {' | '.join(answers)}")
    return line


async def main():
    async def until_closed(link):
        await link.wait_closed()

    async def page(request):
        link = web.WebSocketResponse(protocols=[KNOWN])
        await link.prepare(request)
        await link.receive()
        return link

    async with serve(until_closed, "127.0.0.1", 0, subprotocols=[KNOWN]) as server:
        first = await told("websockets", server.sockets[0].getsockname()[1])
    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    second = await told("aiohttp", runner.addresses[0][1])
    await runner.cleanup()
    return "chat.v2: 400 | offered nothing: 400" in first and "chat.v2: 101 - | offered nothing: 101 -" in second


sys.exit(0 if asyncio.run(main()) else 1)
PY
"$folder/venv/bin/python" "$folder/finding.py"
