// A GraphQL server with one subscription, `alerts(topic)`, over graphql-transport-ws. Sign-in by `token` in the payload of
// connection_init where a token is asked for. POST /push sends its JSON body to all.
// node graphql-ws.js ADDRESS PORT [TOKEN]
const { createServer } = require("node:http");
const { EventEmitter, on } = require("node:events");
const { buildSchema } = require("graphql");
const { useServer } = require("graphql-ws/use/ws");
const { WebSocketServer } = require("ws");

const [address, port, token] = process.argv.slice(2);
const alerts = new EventEmitter().setMaxListeners(0);
const schema = buildSchema(`
  type Alert { id: ID, title: String, body: String, priority: Int }
  type Query { health: Boolean }
  type Subscription { alerts(topic: String): Alert }
`);
const roots = {
  subscription: {
    alerts: async function* ({ topic }) {
      if (topic === "closed") throw new Error("forbidden topic");
      for await (const [alert] of on(alerts, "alert")) yield { alerts: alert };
    },
  },
};
const http = createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    if (request.method === "POST" && request.url === "/push") alerts.emit("alert", JSON.parse(body));
    else response.statusCode = 404;
    response.end();
  });
});
const sockets = new WebSocketServer({ server: http, path: "/graphql" });
const server = useServer(
  {
    schema,
    roots,
    connectionInitWaitTimeout: 1000,
    onConnect: ({ connectionParams }) => !token || connectionParams?.token === token,
  },
  sockets,
  1000,
);
process.on("SIGTERM", async () => {
  await server.dispose();
  http.close();
  process.exit();
});
http.listen(Number(port), address, () => console.log("ready"));
