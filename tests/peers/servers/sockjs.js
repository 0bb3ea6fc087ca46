// A SockJS server. POST /push sends its body to all, POST /burst as many messages as the body says, and POST /close closes by 4500.
// GET /links tells how many there are.
// node sockjs.js ADDRESS PORT
const { createServer } = require("node:http");
const sockjs = require("sockjs");

const [address, port] = process.argv.slice(2);
const links = new Set();
const echo = sockjs.createServer({ log: () => {}, heartbeat_delay: 1000 });
echo.on("connection", (link) => {
  if (!link) return;
  links.add(link);
  link.on("close", () => links.delete(link));
});
const http = createServer((request, response) => {
  if (request.url === "/links") response.end(String(links.size));
  if (request.method !== "POST") return;
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    if (request.url === "/push") for (const link of links) link.write(body);
    if (request.url === "/close") for (const link of links) link.close(4500, "replaced");
    if (request.url === "/burst") {
      for (let n = 0; n < Number(body); n += 1) for (const link of links) link.write(JSON.stringify({ title: String(n), body: "x".repeat(n % 200) }));
    }
    if (["/push", "/burst", "/close"].includes(request.url)) response.end();
  });
});
echo.installHandlers(http, { prefix: "/events" });
process.on("SIGTERM", () => process.exit());
http.listen(Number(port), address, () => console.log("ready"));
