### What `--help` tells of each command and its arguments. A text is one line: the terminal's width decides where it breaks.

help-usage = Usage:
help-usage-options = [OPTIONS]
help-commands = Commands
help-arguments = Arguments
help-options = Options
help-default = { $help } [default: { $value }]

help-tidings = Keeps your user channels connected and shows their messages as notifications
help-tidings-more = Without a command: starts Tidings in the tray, or shows the one that runs
help-background = Start quietly, as at login: a channel that was replaced stays so, and no window opens
help-open = Open the window once started
help-add = Start with the window open at the page that adds a channel, with this address
help-help = Print help
help-version = Print version
help-exit-codes = Exit codes: 0 done, 1 failed, 2 wrong arguments or settings, 3 nothing is running, 4 replaced by another instance (listen), 5 sign-in refused (listen).
help-logs = Logs go to stderr and to a file in the state folder; TIDINGS_LOG sets the level (error, warn, info, debug, trace).

# Arguments of several commands.
help-channel = Id or name of the channel in the settings file
help-channel-or-all = Id or name of the channel; all channels if left out
help-channel-if-several = Id or name of a channel in the settings file. Not needed when there is only one
help-json-object = One JSON object
help-json-lines = One JSON object a line

help-status = Show the state of every channel of the running Tidings
help-connect = Connect a channel, or all of them, and keep them connected
help-disconnect = Disconnect a channel, or all of them; they stay so, also over restarts
help-takeover = Connect here again after another instance took the channel over
help-sign-in = Open the page on which the channel's user signs in, in a window of Tidings or in the browser
help-sign-out = End the channel's sign-in: tell the site, forget what it was signed in by, and disconnect
help-pause = Hold popups back for a while (`pause 1h`), to a time (`pause until 08:00`), or until `resume`
help-pause-more = Messages go into the inbox meanwhile, critical ones pop up all the same, and one popup sums the rest up afterwards
help-pause-time = A duration such as 30m or 1h, `until HH:MM`, or `off`; until resumed if left out
help-resume = Show popups again
help-quit = End the running Tidings, with its window, and wait until it has ended
help-tail = Print messages of the running Tidings as they arrive, and stored ones before them if asked for
help-tail-since = Begin with the stored messages from then on: a duration such as 1h, a time such as 08:00 or 2026-03-01T08:00:00Z, or the server's id of a message, after which it begins
help-tail-search = Only messages that hold all of these words, stored ones as well as new ones
help-tail-no-follow = End once the stored messages are printed
help-send = Send a message by a channel whose server takes one: ntfy, Gotify, tidings-server
help-send-text = The message; - reads it from stdin
help-send-title = Its title
help-send-priority = Its priority, from 1 to 5; 3 is normal
help-send-tag = One of its tags, which ntfy knows; may be given several times
help-send-topic = Which of an ntfy channel's topics, where there are several
help-discover = Find out what is at an address, and which channel would listen there
help-discover-address = What was pasted: of a web page, a server, a topic or a WebSocket
help-discover-allow-plaintext = Look there also where nothing is encrypted on the way to another machine
help-doctor = Find out why a channel doesn't connect, and what to do about it
help-doctor-url = Address to examine, such as wss://shop.example/ws/user-channel
help-doctor-upgrade = Go on to the upgrade and the first ping, though it takes the place of another instance of the same user. A channel that the running Tidings keeps connected needs no such word: Tidings lets go of its link, tries, and takes it back
help-doctor-idle = Measure how long a silent link survives, and propose a heartbeat interval. It needs a link, so it implies --upgrade
help-doctor-max = How long to wait for the end of the silent link
help-diagnostics = Pack what a report of trouble needs into one archive: version, machine, settings, state, logs, crashes
help-diagnostics-more = What may be secret is left out. Prints where the archive is
help-diagnostics-file = The archive, a .tar.gz that is not there yet; one in the current folder if left out
help-export = Write the channels of the settings as TOML, without secrets
help-export-file = A file that is not there yet; stdout if left out
help-import = Take channels from what `export` wrote into the settings, and say what became of each
help-import-file = The file
help-import-replace = Also change channels that are there already and differ
help-secret = Keep a channel's secret in the keyring, or remove it
help-secret-set = Ask for the channel's secret (or read the first line of stdin) and keep it in the keyring
help-secret-clear = Remove the channel's secret from the keyring
help-secret-export = Write the channel's secret to a new file that only you can read, or to stdout
help-secret-export-file = A file that is not there yet; stdout if left out, but never a terminal
help-secret-import = Keep what `secret export` wrote in the keyring of this machine
help-secret-import-file = The file; stdin if left out
help-listen = Listen to one channel without tray, window or inbox and print what arrives
help-listen-url = Address of a channel that needs no settings, such as ws://127.0.0.1:8080/ws/user-channel?user=me
help-of = Print this help, or that of a command
help-of-command = The command; this help if left out
help-sign-in-code = By a browser anywhere: tell a page and a code to type there (OAuth)
