// An MQTT broker that lets `ann` in by SECRET, and nobody else; below `private` nobody may subscribe.
// node aedes.js ADDRESS PORT SECRET
const { createServer } = require("node:net");
const { Aedes } = require("aedes");

const [address, port, secret] = process.argv.slice(2);
const start = async () => {
  const broker = await Aedes.createBroker();
  broker.authenticate = (client, name, password, done) =>
    done(null, name === "ann" && String(password) === secret);
  broker.authorizeSubscribe = (client, subscription, done) =>
    done(null, subscription.topic.startsWith("private/") ? null : subscription);
  const server = createServer(broker.handle);
  process.on("SIGTERM", () => process.exit());
  server.listen(Number(port), address, () => console.log("ready"));
};
start();
