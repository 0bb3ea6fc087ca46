// An OAuth provider as an application has it, and that application's channel, which lets in who shows its token. Who signs in is
// asked nothing: the pages of a sign-in are there, and send on. Refresh tokens are good for one use.
// The channel keeps nothing: what comes while nobody listens is lost. A second link of a user replaces the first (4500), and a link
// ends with its token (4401). POST /push sends its body to all links; the answer says to how many.
// POST /life/SECONDS: how long new tokens live. POST /forget: no token is renewed, and none given, until POST /remember. GET /counts.
// node oidc-provider.js ADDRESS PORT
const { createServer } = require("node:http");
const { WebSocketServer } = require("ws");

const [address, port] = process.argv.slice(2);
const issuer = `http://${address}:${port}`;
const counts = { opened: 0, replaced: 0, expired: 0, refused: 0 };
let life = 60;
let forgotten = false;

const settings = {
  clients: [
    {
      client_id: "tidings",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: ["code"],
      redirect_uris: ["http://127.0.0.1/tidings"],
    },
  ],
  cookies: { keys: ["not secret"] },
  features: { devInteractions: { enabled: false }, deviceFlow: { enabled: true } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
  rotateRefreshToken: true,
  ttl: { AccessToken: () => life },
};

/** Signs `ann` in and has her agree, whatever is asked. */
async function signIn(provider, request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId: "ann" } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

async function start() {
  const { Provider } = await import(require.resolve("oidc-provider"));
  const provider = new Provider(issuer, settings);
  const channel = new WebSocketServer({ noServer: true });
  const links = new Set();

  const http = createServer(async (request, response) => {
    if (request.url.startsWith("/sign-in/")) return signIn(provider, request, response);
    if (request.url === "/counts") return response.end(JSON.stringify(counts));
    const [, ask, value] = request.url.split("/");
    if (request.method === "POST" && ask === "life") {
      life = Number(value);
      return response.end();
    }
    if (request.method === "POST" && ["forget", "remember"].includes(ask)) {
      forgotten = ask === "forget";
      return response.end();
    }
    if (request.method === "POST" && ask === "push") {
      let body = "";
      for await (const part of request) body += part;
      for (const { socket } of links) socket.send(body);
      return response.end(String(links.size));
    }
    if (forgotten && request.url === "/token") {
      response.statusCode = 400;
      response.setHeader("content-type", "application/json");
      return response.end('{"error":"invalid_grant","error_description":"grant request is invalid"}');
    }
    return provider.callback()(request, response);
  });

  http.on("upgrade", async (request, socket, head) => {
    const shown = /^Bearer (.+)$/.exec(request.headers.authorization ?? "");
    const token = shown && (await provider.AccessToken.find(shown[1]));
    if (!token || token.isExpired) {
      counts.refused += 1;
      return socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    channel.handleUpgrade(request, socket, head, (opened) => {
      counts.opened += 1;
      const link = { user: token.accountId, socket: opened };
      for (const other of links) {
        if (other.user !== link.user) continue;
        counts.replaced += 1;
        links.delete(other);
        other.socket.close(4500, "replaced");
      }
      links.add(link);
      const end = () => {
        counts.expired += 1;
        opened.close(4401, "token expired");
      };
      const timer = setTimeout(end, token.remainingTTL * 1000);
      opened.on("close", () => {
        clearTimeout(timer);
        links.delete(link);
      });
    });
  });

  process.on("SIGTERM", () => process.exit());
  http.listen(Number(port), address, () => console.log("ready"));
}

start();
