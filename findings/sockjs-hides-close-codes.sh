#!/bin/sh
# sockjs 0.3.24 (sockjs-node) on Node 20.20.2: an application that closes a connection with a code and a reason (here 4500 "a
# newer one is there") reaches a client of the SockJS WebSocket transport as a text message `c[4500,"a newer one is there"]`,
# followed by a close frame of code 1000 "Normal closure". Only the raw transport (`/websocket` without a session) has the code
# in the close frame. A plain WebSocket client takes the first for an orderly end.
#
# Seen on 29 November 2026:
#   session transport: texts ["o","c[4500,\"a newer one is there\"]"], close 1000 "Normal closure"
#   raw transport: texts [], close 4500 "a newer one is there"
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund sockjs@0.3.24 ws@8.23.0
cat > finding.mjs <<'JS'
import { createServer } from "node:http";
import sockjs from "sockjs";
import WebSocket from "ws";

const http = createServer();
const channel = sockjs.createServer({ log() {} });
channel.on("connection", (connection) => connection.close(4500, "a newer one is there"));
channel.installHandlers(http, { prefix: "/channel" });
await new Promise((listening) => http.listen(0, "127.0.0.1", listening));

function end(path) {
  return new Promise((done) => {
    const link = new WebSocket(`ws://127.0.0.1:${http.address().port}${path}`);
    const texts = [];
    link.on("message", (text) => texts.push(String(text)));
    link.on("close", (code, reason) => done({ texts, code, reason: String(reason) }));
  });
}
const tell = (name, { texts, code, reason }) =>
  console.log(`${name}: texts ${JSON.stringify(texts)}, close ${code} ${JSON.stringify(reason)}`);

const session = await end("/channel/0/abcdefgh/websocket");
const raw = await end("/channel/websocket");
tell("session transport", session);
tell("raw transport", raw);
process.exit(session.code === 1000 && session.texts[1] === 'c[4500,"a newer one is there"]' && raw.code === 4500 ? 0 : 1);
JS
node finding.mjs
