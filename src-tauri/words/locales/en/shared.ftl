### What tray and window both say of channels.

# Times are absolute: 11:48, or 28 Feb 11:48.
state-connected = Connected since { $time }
state-connected-unchecked = Connected since { $time } (can't be checked)
# A state, and the topics that the server lets this user not read.
state-left-out = { $state }; no access to { $topics }
# A state, and what may be missing.
state-gap = { $state }; { $gap }
state-connecting = Connecting
state-connecting-again = Connecting (attempt { NUMBER($attempt) })
state-connecting-stage = Connecting ({ $stage })
state-waiting = Reconnecting at { $time }
state-waiting-because = Reconnecting at { $time }: { $cause }
state-disconnected = Disconnected
state-replaced = Replaced by another tab or device since { $time }

# What the server no longer had when this channel came back: between two times, such as 14:02 and 14:40.
gap-between = messages of { $from } to { $until } may be missing
gap-since = messages since { $from } may be missing
gap-before = messages before { $until } may be missing
gap-some = messages may be missing

# What carries a channel's messages.
carried-websocket = WebSocket
carried-sse = server-sent events
carried-json-lines = lines of JSON
carried-mqtt = MQTT
carried-sockjs = SockJS over a WebSocket
carried-sockjs-streaming = SockJS over a stream
carried-sockjs-polling = SockJS by polls
# Why another one is in use.
carried-instead = { $of } didn't get through, { $times ->
    [one] once
   *[other] { NUMBER($times) } times in a row
}: { $cause }
carried-instead-known = { $of } is known not to get through on this network

stage-sign-in = sign-in
stage-subscribe = subscribing

action-connect = Connect
action-reconnect-now = Reconnect now
action-sign-in = Sign in …
action-take-over = Take over here
action-disconnect = Disconnect
action-connect-all = Connect all
action-disconnect-all = Disconnect all
