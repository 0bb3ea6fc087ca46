#!/bin/sh
# uvicorn 0.54.0 and daphne 4.2.3 on Python 3.11.7: an ASGI application that closes a WebSocket before it accepts it, with a
# code and a reason of its own (here 4401 "token expired"), is answered for by a bare HTTP 403. Neither code nor reason reach
# the client, so that an expired token, a wrong path and a missing Origin all look alike.
#
# Seen on 29 November 2026:
#   uvicorn: HTTP/1.1 403 Forbidden, no 4401, no reason
#   daphne: HTTP/1.1 403 Access denied, no 4401, no reason
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'uvicorn[standard]==0.54.0' websockets==17.4 daphne==4.2.3
cat > "$folder/refuses.py" <<'PY'
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": event + ".complete"})
            if event == "lifespan.shutdown":
                return
    await receive()
    await send({"type": "websocket.close", "code": 4401, "reason": "token expired"})
PY
cat > "$folder/client.py" <<'PY'
import asyncio, subprocess, sys

UPGRADE = (b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
SERVERS = {
    "uvicorn": ["-m", "uvicorn", "refuses:app", "--port", "18441", "--log-level", "critical"],
    "daphne": ["-m", "daphne", "-p", "18441", "refuses:app"],
}

async def answer():
    for _ in range(100):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", 18441)
            break
        except OSError:
            await asyncio.sleep(0.1)
    writer.write(UPGRADE)
    answer = await asyncio.wait_for(reader.read(4096), 10)
    writer.close()
    return answer

well = True
for name, words in SERVERS.items():
    server = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        seen = asyncio.run(answer())
    finally:
        server.kill()
        server.wait()
    lost = b"4401" not in seen and b"token expired" not in seen
    print(f"{name}: {seen.splitlines()[0].decode()},", "no 4401, no reason" if lost else "with the cause")
    well = well and seen.startswith(b"HTTP/1.1 403") and lost
sys.exit(0 if well else 1)
PY
cd "$folder" && "$folder/venv/bin/python" client.py
