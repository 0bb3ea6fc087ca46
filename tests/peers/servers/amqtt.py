# An MQTT broker that lets anybody in.
# python amqtt.py ADDRESS PORT
import asyncio
import signal
import sys

# This file's own folder would hide the package of its name.
sys.path.pop(0)

from amqtt.broker import Broker

address, port = sys.argv[1:3]
settings = {
    "listeners": {"default": {"type": "tcp", "bind": f"{address}:{port}"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


async def serve():
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    broker = Broker(settings)
    await broker.start()
    print("ready", flush=True)
    await ended.wait()
    await broker.shutdown()


asyncio.run(serve())
