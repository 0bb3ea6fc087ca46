// A GraphQL server with one subscription, `alerts(topic)`, over graphql-transport-ws. Sign-in by `Authorization` in the payload
// of connection_init where a token is asked for. POST /push sends its JSON body to all, once there is somebody.
// node graphql-ws.js ADDRESS PORT [TOKEN]
const { createServer } = require("node:http");
const { EventEmitter, on, once } = require("node:events");
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
  request.on("end", async () => {
    if (request.method !== "POST" || request.url !== "/push") response.statusCode = 404;
    else {
      // No subscription is confirmed, so who pushes can't know that there is one.
      if (alerts.listenerCount("alert") === 0) await once(alerts, "newListener");
      setImmediate(() => alerts.emit("alert", JSON.parse(body)));
    }
    response.end();
  });
});
const sockets = new WebSocketServer({ server: http, path: "/graphql" });
const server = useServer(
  {
    schema,
    roots,
    connectionInitWaitTimeout: 1000,
    onConnect: ({ connectionParams }) => !token || connectionParams?.Authorization === `Bearer ${token}`,
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
