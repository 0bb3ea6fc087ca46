#!/bin/sh
# amqtt 0.11.3 on Python 3.11, with paho-mqtt 2.1.0 as the client: a client that connects by MQTT 3.1.1 with Clean Session 0, subscribes
# with QoS 1 and leaves with DISCONNECT is told Session Present 0 when it comes back under the same client id, and what was published
# meanwhile with QoS 1 never comes. MQTT 3.1.1, section 3.1.2.4, has the server keep the session and what is for it.
#
# Seen on 30 November 2026:
#   session present: False, messages: []
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv there
there/bin/pip install --quiet --disable-pip-version-check amqtt==0.11.3 paho-mqtt==2.1.0
cat > finding.py <<'PY'
import asyncio
import threading

import paho.mqtt.client as mqtt
from amqtt.broker import Broker

PORT = 18931
ANONYMOUS = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}


def visit(name, act=None, wait=1.0):
    """Connects with Clean Session 0, subscribes, acts, waits and leaves."""
    seen, present, subscribed = [], [], threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
    client.on_message = lambda _client, _data, message: seen.append(message.payload.decode())
    client.on_subscribe = lambda *_: subscribed.set()

    def connected(client, _data, flags, _reason, _properties):
        present.append(flags.session_present)
        client.subscribe("news/#", qos=1)

    client.on_connect = connected
    client.connect("127.0.0.1", PORT)
    client.loop_start()
    assert subscribed.wait(10)
    if act:
        act(client)
    threading.Event().wait(wait)
    client.disconnect()
    client.loop_stop()
    return present[0], seen


def visits():
    visit("desk")
    visit("sender", lambda client: client.publish("news/door", "open", qos=1).wait_for_publish(10))
    return visit("desk")


async def main():
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{PORT}"}}, "plugins": ANONYMOUS})
    await broker.start()
    present, seen = await asyncio.to_thread(visits)
    print(f"session present: {present}, messages: {seen}")
    await broker.shutdown()
    return 0 if not present and not seen else 1


raise SystemExit(asyncio.run(main()))
PY
there/bin/python finding.py
