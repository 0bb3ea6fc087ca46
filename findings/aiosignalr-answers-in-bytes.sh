#!/bin/sh
# aiosignalr 0.1.1 (Python 3.11, aiohttp 3.14.5) sends all that its hub says over a WebSocket as binary frames, the texts of the JSON
# protocol, too, where ASP.NET Core sends text frames. Microsoft's own client for JavaScript (@microsoft/signalr 10.0.11) can't
# begin a connection to it: it takes a binary frame for MessagePack's and fails at the handshake's answer. A client that reads bytes
# and texts alike, as aiosignalr's own does, notices nothing.
#
# Seen on 30 November 2026:
#   the hub answers the handshake with a binary frame: "{}\u001e"
#   @microsoft/signalr: Error: Error parsing handshake response: TypeError: textData.substring is not a function
set -eu
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiosignalr==0.1.1 aiohttp==3.14.5
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @microsoft/signalr@10.0.11 ws@8.23.0
cat > hub.py <<'PY'
import asyncio

from aiosignalr.server import Hub, SignalRServer


class Alerts(Hub):
    pass


async def main():
    host, port = await SignalRServer(Alerts).serve("127.0.0.1", 0)
    print(f"{host}:{port}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
PY
venv/bin/python hub.py > address &
server=$!
until [ -s address ]; do kill -0 "$server" && sleep 0.1; done
cat > finding.mjs <<'JS'
import * as signalr from "@microsoft/signalr";
import WebSocket from "ws";

const [, , address] = process.argv;
const answer = await new Promise((done, failed) => {
  const link = new WebSocket(`ws://${address}/hub`);
  link.on("open", () => link.send('{"protocol":"json","version":1}\u001e'));
  link.on("message", (data, isBinary) => done({ text: String(data), isBinary }));
  link.on("error", failed);
});
console.log(`the hub answers the handshake with a ${answer.isBinary ? "binary" : "text"} frame: ${JSON.stringify(answer.text)}`);

const client = new signalr.HubConnectionBuilder().withUrl(`http://${address}/hub`, {
  skipNegotiation: true, transport: signalr.HttpTransportType.WebSockets,
}).configureLogging(signalr.LogLevel.None).build();
const told = await client.start().then(() => "connected", (error) => String(error));
console.log(`@microsoft/signalr: ${told}`);
process.exit(answer.isBinary && told.includes("Error parsing handshake response") ? 0 : 1);
JS
node finding.mjs "$(cat address)"
