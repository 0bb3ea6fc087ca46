#!/bin/sh
# aiohttp 3.14.5 on Python 3.11.7: `web.run_app` without an on_shutdown handler keeps an open WebSocket after SIGTERM. The
# listening socket is closed at once, so that new connections are refused, but the old link gets neither a close frame nor a
# FIN, its pings are answered no longer, and the process stays (75 s were watched). A client that sends no pings of its own sees
# a live link to a server that is gone for everybody else.
#
# Seen on 29 November 2026:
#   before SIGTERM: a ping is answered
#   after SIGTERM: new connections refused; the old link silent and open for 30 s, a ping unanswered
#   process: still there
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiohttp==3.14.5
cat > "$folder/server.py" <<'PY'
from aiohttp import web

async def channel(request):
    link = web.WebSocketResponse()
    await link.prepare(request)
    async for _ in link:
        pass
    return link

app = web.Application()
app.router.add_get("/", channel)
web.run_app(app, host="127.0.0.1", port=18431, print=None)
PY
cat > "$folder/client.py" <<'PY'
import asyncio, signal, subprocess, sys

UPGRADE = (b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
PING = b"\x89\x80\0\0\0\0"  # masked by zeros, empty
PONG = b"\x8a\0"

async def connect():
    return await asyncio.open_connection("127.0.0.1", 18431)

async def heard(reader, seconds):
    """What came: bytes, b"" for the end, None for silence."""
    try:
        return await asyncio.wait_for(reader.read(100), seconds)
    except asyncio.TimeoutError:
        return None

async def main():
    server = subprocess.Popen([sys.executable, sys.argv[1]])
    try:
        for _ in range(100):
            try:
                reader, writer = await connect()
                break
            except OSError:
                await asyncio.sleep(0.1)
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(PING)
        before = await heard(reader, 5) == PONG
        server.send_signal(signal.SIGTERM)
        await asyncio.sleep(1)
        try:
            await connect()
            refused = False
        except OSError:
            refused = True
        writer.write(PING)
        silent = await heard(reader, 30) is None
        running = server.poll() is None
        print("before SIGTERM:", "a ping is answered" if before else "no answer to a ping")
        print("after SIGTERM: new connections", "refused;" if refused else "taken;",
              "the old link silent and open for 30 s, a ping unanswered" if silent else "the old link answered or ended")
        print("process:", "still there" if running else "ended")
        return 0 if before and refused and silent and running else 1
    finally:
        server.kill()

sys.exit(asyncio.run(main()))
PY
"$folder/venv/bin/python" "$folder/client.py" "$folder/server.py"
