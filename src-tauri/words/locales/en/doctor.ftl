### An examination of a channel, step by step: what was found, and what to do about it.

# A step's line in the terminal.
doctor-line = { $mark } { $step }: { $detail }
doctor-line-timed = { $mark } { $step }: { $detail } ({ $ms } ms)
# Something found, and where.
doctor-about = { $what }: { $detail }

doctor-step-name = name
doctor-step-proxy = proxy
doctor-step-address = address
doctor-step-tcp = tcp
doctor-step-tls = tls
doctor-step-secret = secret
doctor-step-upgrade = upgrade
doctor-step-sign-in = sign-in
doctor-step-subscription = subscription
doctor-step-ping = ping
doctor-step-carrier = carrier
doctor-step-dialect = language
doctor-step-idle = idle
doctor-step-clock = clock

doctor-no-lookup = { $host } needs no lookup
doctor-looked-up = { $host } is { $addresses }
doctor-through-proxy = through { $proxy }
doctor-certificate = { $version }, certificate by { $issuer }, { $days ->
    [one] 1 day left
   *[other] { $days } days left
}
doctor-certificate-nobody = nobody named
doctor-no-address = no address answers
doctor-stopped = not tried: it takes the place of another instance of the same user
doctor-not-lent = not tried: the channel is being examined already, or Tidings is ending
doctor-secret-there = there is one
doctor-secret-none = none
doctor-stream-silent = over a stream nothing can be asked: that it lives shows in what the server sends by itself
doctor-upgraded = the server takes the channel
doctor-upgraded-at = the server takes the channel at { $address }
doctor-v1-refused = the server says that it speaks tidings.v1, but an upgrade that asks for it comes to nothing (a proxy may drop it): the channel does without
doctor-carried = carried by { $carrier }: { $instead }
doctor-carried-alone = carried by { $carrier }
doctor-held = the server took the channel: it is connected, and stays so
doctor-signed-in = the broker takes the sign-in
doctor-subscribed = the broker sends what comes to the topics
doctor-subscribed-but = the broker refuses these topics: { $topics }
doctor-broker-unknown = not tried: who signs in, and which topics are to be heard, stands in a channel's settings
doctor-idle-broker = not tried: over MQTT Tidings pings by itself, as often as the broker asks
doctor-pong = the server answers pings, so its death is noticed
doctor-no-pong = the server answers no pings, so a dead link can't be told from a silent one
doctor-no-pings = not tried: liveness.ping_after is 0s
doctor-idle-lives = a silent link lives { $seconds } s and longer
doctor-idle-ended = a silent link is ended after { $seconds } s: { $cause }
doctor-idle-quicker = a silent link is ended after { $seconds } s: { $cause }; the default heartbeat of 60s is quicker

mend-certificate-soon = have the certificate renewed
mend-stopped = --upgrade tries it all the same
mend-not-lent = try again in a minute
mend-no-pong = let the server, or the proxy in front of it, answer WebSocket pings (RFC 6455, 5.5.2)
mend-idle-hopeless = no heartbeat is quick enough: ask who runs the server why it ends links
mend-idle = write { $setting } into the channel's settings
mend-proxy-name = check the proxy's name in the settings or in HTTPS_PROXY
mend-lookup = check the host's spelling, the network and its DNS
mend-unreachable = check the port, a firewall on the way, and whether the server runs
mend-timed-out = something on the way swallows packets: check firewall, VPN and proxy
mend-proxy = check the proxy and whether it allows this host and port; NO_PROXY excepts a host
mend-tls = check that this port speaks TLS, and that nothing on the way breaks it
mend-authority = if this network asks for a sign-in, open any page in a browser first; if a proxy here reads along, or the authority is a private one, name its certificate in ca_file; else have the server send a valid certificate and its chain
mend-certificate = have the server send a valid certificate and its chain; ca_file trusts a private authority
doctor-clock = by the server's clock, this machine's is { $by } { $which ->
    [slow] slow
   *[fast] fast
}
doctor-minutes = { $count ->
    [one] 1 minute
   *[other] { $count } minutes
}
doctor-hours = { $count ->
    [one] 1 hour
   *[other] { $count } hours
}
doctor-days = { $count ->
    [one] 1 day
   *[other] { $count } days
}
mend-clock-first = the clocks differ, and that alone may be why: set this machine's clock first (or let it be set over the network, NTP); if it is right, the server's is not, and else: { $otherwise }
mend-clock = set this machine's clock, or let it be set over the network (NTP)
mend-expired = have the server renew its certificate; if the date is wrong, set this machine's clock
mend-self-signed = if it is the right server, save its certificate as a file and name that in ca_file; in a network that asks for a sign-in, open any page in a browser first
mend-intermediate = have the server send its whole chain (`fullchain.pem`); ca_file trusts a private authority; in a network that asks for a sign-in, open any page in a browser first
mend-ours-refused = check client_cert and client_key: who runs the server knows which certificate it wants
mend-ca-file = ca_file takes PEM, `-----BEGIN CERTIFICATE-----`
mend-wrong-name = check the host's spelling: the certificate is for another name
mend-proxy-sign-in = put user and password into HTTPS_PROXY or ALL_PROXY
mend-forbidden = many servers say 403 for everything: check the secret, the URL's path, and whether `headers` needs an `Origin`
mend-no-secret = no secret was sent: if the server wants one, `tidings secret set` keeps it; else check the URL's path, and whether `headers` needs an `Origin`
mend-hung-up = check the URL's path and port: what listens there may speak no HTTP, or knows no such path
mend-broker-websocket = check the port: a broker takes WebSockets at one of their own, and none unless it is told to; at its usual one write mqtt:// or mqtts://
mend-no-mqtt = check the port: what listens there speaks no MQTT, or wants TLS (mqtts://) where none is spoken, or the other way round
mend-moved = write { $to } into the settings, if that is the right server
mend-behind = what stands behind the proxy is down or busy: wait, or ask who runs it
mend-sign-in = renew the secret: `tidings secret set`, or what token_command, token_file or token_env give
mend-session = sign in again: Sign in… in Tidings, or `tidings sign-in`
mend-role = ask whoever runs the site for the right to use this channel, or sign in as another user
mend-stream-address = check the address: it has to be one that answers with server-sent events (text/event-stream)
mend-address = check the URL's path; a proxy in front must pass `Upgrade` and `Connection` on
mend-limit-subscriptions = have all topics of this server in one channel, or close other clients of it
mend-busy = the server is busy: wait
mend-server-error = ask who runs the server to look into its log
mend-status = check the URL, and what the server wants in `headers`
mend-captive-portal = open any page in a browser and sign in to this network
mend-closed = ask who runs the server why it ends the link; a proxy in front may, too
mend-silent = the network drops what is sent: check it and its proxies
mend-owner = see what it says
mend-denied = check the secret, the user and what is subscribed to
mend-broker-version = the broker has to speak MQTT 5 or 3.1.1: ask who runs it
mend-broker-client-id = write into `client_id` what the broker wants to know its clients by, or remove it; who runs the broker knows
mend-broker-password = check `username` (with auth = "basic"), and renew the secret: `tidings secret set`, or what token_command, token_file or token_env give
mend-broker-not-allowed = check `username` (with auth = "basic") and the secret (`tidings secret set`); else have the broker's rules (ACL) allow this user to read every one of the `topics`
mend-broker-taken = another client has the same `client_id`: give each its own, or remove it here
mend-broker-topics = check `topics`: the broker takes none such
mend-broker-elsewhere = ask who runs the broker for its new address, and write that as `url`
mend-broker-log = ask who runs the broker to look into its log
mend-broker-unknown = add the channel, and name it: `tidings doctor --channel NAME`
mend-broker-no-secret = no secret was sent: if the broker wants one, `tidings secret set` keeps it, and `username` with auth = "basic" says whose it is
mend-broker-random-id = { $otherwise }; or the broker wants the client id of the settings: here a random one was used, so that nobody's place is taken
mend-foreign = check the channel's kind (and preset) and its address
mend-local = try again

dialect-unspoken = the server speaks { $name }, and this channel isn't set up for that
dialect-ntfy = the server is ntfy: its messages are read as ntfy means them where the channel says so
mend-sockjs = give the prefix, `https://…`, as the page gives it to `new SockJS(…)`: without server and session numbers
mend-dialect = set { $text } for the channel
