# A SignalR hub at /alerts, for who comes with the token, and room "closed" for nobody: `signalr.py IP PORT TOKEN`.
# POST /push calls `notify` at every client, with the body's JSON as its argument.
import sys

from aiohttp import web
from aiosignalr.server import Hub, SignalRServer

ip, port, secret = sys.argv[1:]


class Alerts(Hub):
    pass


server = SignalRServer(Alerts)


@web.middleware
async def signed_in(request, handler):
    # As ASP.NET Core before a hub: a client's token is in the header, a browser's in the query.
    if request.path == "/alerts":
        token = request.query.get("access_token") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != secret:
            return web.Response(status=401)
        if request.headers.get("X-Room") == "closed":
            return web.Response(status=403)
    return await handler(request)


async def push(request):
    await server.lifetime.send_all("notify", (await request.json(),))
    return web.Response()


app = server.create_application(path="/alerts")
app.middlewares.append(signed_in)
app.router.add_post("/push", push)
web.run_app(app, host=ip, port=int(port), print=None, shutdown_timeout=1)
