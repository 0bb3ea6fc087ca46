#!/bin/sh
# socket.io 4.8.4 on Node 20.20.2, attached to a plain http server: a WebSocket upgrade to a path that isn't socket.io's own gets
# no HTTP answer at all. The TCP connection stays silent for a second and is closed then (engine.io's destroyUpgradeTimeout),
# although a plain GET of the same path is answered with 404. To a client a mistyped path looks like a server that is down.
#
# Seen on 29 November 2026:
#   GET /elsewhere: 404
#   upgrade of /elsewhere: 0 bytes, closed after 1.0 s
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund socket.io@4.8.4
cat > finding.mjs <<'JS'
import { createServer } from "node:http";
import { connect } from "node:net";
import { Server } from "socket.io";

const http = createServer((_, answer) => {
  answer.statusCode = 404;
  answer.end();
});
new Server(http);
await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
const { port } = http.address();

const plain = await fetch(`http://127.0.0.1:${port}/elsewhere`);
console.log(`GET /elsewhere: ${plain.status}`);
const started = Date.now();
let bytes = 0;
const link = connect(port, "127.0.0.1");
link.write(
  "GET /elsewhere HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
);
link.on("data", (data) => (bytes += data.length));
link.on("close", () => {
  const seconds = (Date.now() - started) / 1000;
  console.log(`upgrade of /elsewhere: ${bytes} bytes, closed after ${seconds.toFixed(1)} s`);
  process.exit(plain.status === 404 && bytes === 0 && seconds > 0.9 ? 0 : 1);
});
JS
node finding.mjs
