#!/bin/sh
# daphne 4.2.3 on Python 3.11.7: an application that closes an open WebSocket with a code and a reason (here 4500 "a newer one
# is there") has the code sent and the reason dropped: the close frame's payload is two bytes long. The same application on
# uvicorn 0.54.0 sends both. A client that tells causes apart by the reason can't do so behind daphne.
#
# Seen on 29 November 2026:
#   uvicorn: close 4500 'a newer one is there'
#   daphne: close 4500 ''
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'uvicorn[standard]==0.54.0' websockets==17.4 daphne==4.2.3
cat > "$folder/closes.py" <<'PY'
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": event + ".complete"})
            if event == "lifespan.shutdown":
                return
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 4500, "reason": "a newer one is there"})
    await receive()
PY
cat > "$folder/client.py" <<'PY'
import asyncio, subprocess, sys
import websockets

SERVERS = {
    "uvicorn": ["-m", "uvicorn", "closes:app", "--port", "18451", "--log-level", "critical"],
    "daphne": ["-m", "daphne", "-p", "18451", "closes:app"],
}
WANTED = {"uvicorn": (4500, "a newer one is there"), "daphne": (4500, "")}

async def close():
    for _ in range(100):
        try:
            link = await websockets.connect("ws://127.0.0.1:18451/")
            break
        except OSError:
            await asyncio.sleep(0.1)
    await link.wait_closed()
    return link.close_code, link.close_reason

well = True
for name, words in SERVERS.items():
    server = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        code, reason = asyncio.run(close())
    finally:
        server.kill()
        server.wait()
    print(f"{name}: close {code} {reason!r}")
    well = well and (code, reason) == WANTED[name]
sys.exit(0 if well else 1)
PY
cd "$folder" && "$folder/venv/bin/python" client.py
