### What is at an address that somebody pasted, and what to do about it.

# What a server is: "Gotify 2.9.1".
discover-is = this is { $what }
discover-websocket = this is a WebSocket
discover-events = this is a stream of server-sent events
discover-broker = this is an MQTT broker's address, and something answers there
discover-broker-websocket = by its path this is the WebSocket of an MQTT broker
discover-assumed = nothing answers there that Tidings knows by itself; it is taken for a plain WebSocket
discover-page = a web page answers there, and nothing that can be listened to
discover-nothing = nothing answers there that Tidings knows

discover-plaintext = { $host } would be asked without encryption, and anybody on the way could read what it sends; write https:// (for a broker mqtts://), or set allow_plaintext = true if that is meant (`tidings discover --allow-plaintext`)
discover-mend-topics = name the topics to listen to, in `topics`, or paste { $host }/TOPIC
discover-mend-filters = name the topics to listen to, in `topics`, such as "home/#"
discover-mend-gotify = it wants the token of a client as the secret: make one in Gotify, under Clients
discover-mend-old-socket-io = Tidings speaks Socket.IO 3 and 4: ask who runs the server for a newer one
discover-mend-page = ask who runs the server for the address of its WebSocket, which begins with wss://
discover-mend-nothing = check the address; ask who runs the server for that of its WebSocket, which begins with wss://
discover-mend-sign-in = the server doesn't say what it is before a sign-in: choose the kind of channel yourself
discover-mend-no-tls = check the port; if the server is meant to be reached without encryption, write http://{ $host }
# `tidings discover`: what would stand in the settings file.
discover-channel = this would listen there, in the settings:
