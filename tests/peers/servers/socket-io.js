// A socket.io server as an application has it: sign-in by `auth.token` where a token is asked for, one namespace that
// needs another one, connection state recovery. POST /push sends its JSON body to all as the event `message`.
// node socket-io.js ADDRESS PORT [TOKEN]
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const [address, port, token] = process.argv.slice(2);
const http = createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    if (request.method === "POST" && request.url === "/push") io.emit("message", JSON.parse(body));
    else if (request.method === "POST" && request.url === "/push/orders") io.of("/orders").emit("message", JSON.parse(body));
    else if (request.method === "POST" && request.url === "/out") io.disconnectSockets(false);
    else if (request.method === "POST" && request.url === "/out/close") io.disconnectSockets(true);
    else response.statusCode = 404;
    response.end();
  });
});
const io = new Server(http, {
  pingInterval: 1000,
  pingTimeout: 1000,
  connectionStateRecovery: { maxDisconnectionDuration: 60_000, skipMiddlewares: false },
});
const signedIn = (socket, next) => {
  next(!token || socket.handshake.auth.token === token ? undefined : new Error("not authorized"));
};
io.use(signedIn);
io.of("/orders").use(signedIn);
io.on("connection", (socket) => {
  // A client that gets its greeting knows that it is in.
  socket.on("room", (name, done) => {
    socket.join(name);
    if (done) done({ joined: name });
  });
});
io.of("/orders").on("connection", () => {});
process.on("SIGTERM", () => io.close(() => process.exit()));
http.listen(Number(port), address, () => console.log("ready"));
