### What only the window's page says.

channels = Channels
messages = Messages

needs-you = Needs your attention
state-unknown = Not connected while Tidings’ back end is away
channel-news = { $name }: { $state }
paused-until = Popups are paused until { $time }. Messages still arrive here.
paused = Popups are paused until you resume them. Messages still arrive here.


gone-title = Tidings’ back end is not running.
gone-text = It is looked for all the time, and this page goes on by itself once it is back.
start = Start it
version-title = Tidings’ back end is of another version than this window.
version-text = A restart of the back end mends that; every channel is connected again afterwards.
restart = Restart it
failed-title = That did not work.
dismiss = Dismiss
looking = Looking for Tidings’ back end…

search = Search messages
search-hint = Search
found = { $count ->
    [one] { $count } message
   *[other] { $count } messages
}
no-messages-title = No messages yet
no-messages-text = What your channels send appears here, newest first, and as a notification on your desktop.
no-messages-no-link = No channel is connected right now: connect one to receive messages.
no-hits-title = No message found
no-hits-text = No message has “{ $searched }” in its title or text.
load-failed-title = The messages could not be loaded
try-again = Try again

unread = Unread
untitled = Untitled
priority-lowest = Lowest
priority-low = Low
priority-normal = Normal
priority-high = High
priority-urgent = Urgent
open-link = Open link
topic = Topic
tags = Tags
files = Files
# Beside a file's name: its size, and when its server drops it.
file-until = until { $time }
# Asked before a button of a message sends something; the host stands there as it is.
ask-send = Send { $method } to { $host }?
send = Send
sent = Sent
cancel-send = Don't send
title = Title
body = Text
no-body = This message has no text.
received-at = Received
channel = Channel
id = Id
priority-label = Priority
link = Link
raw = As the server sent it
raw-bytes = As the server sent it (bytes, in base64)
cut = Only the first { NUMBER($limit) } characters are shown. Copying takes all of it.
copy-body = Copy text
copy-raw = Copy original
copied = Copied
copy-failed = Your desktop did not let Tidings copy. Select the text and copy it with Ctrl+C.

copy-diagnostics = Copy diagnostics
diagnostics-title = Diagnostics
diagnostics-hint = The desktop did not allow copying by itself. Press Ctrl+C to copy this text.
close = Close
version = Tidings { $version }

## The pages

pages = Pages
inbox = Inbox
health = Health
settings = Settings
unread-count = { NUMBER($count) } unread
add = Add
save = Save
saved = Saved
discard = Discard changes
cancel = Cancel
remove = Remove
edit = Edit
undo = Undo
demo = Demo

## The inbox

mark-all-read = Mark all as read
filter = Filter
all-channels = All channels
only-unread = Unread only
chip = { $name }: { $state }, { NUMBER($unread) } unread
newer-messages = Newer messages
message-deleted = Message deleted
delete-message = Delete
message-gone = This message is no longer there.
found-more = More than { NUMBER($count) } messages
all-read = Everything has been read.
none-of-channel = This channel has no messages yet.
clear-filter = Show all messages
pause = Pause
pause-half-hour = For 30 minutes
pause-hour = For 1 hour
pause-tomorrow = Until tomorrow 08:00
pause-forever = Until I resume
resume = Resume

## Before there is a channel

welcome-title = Welcome to Tidings
welcome-text = Messages from your web app, on your desktop, without a browser tab. Where does yours send them from?
first-url = Address of your channel
connect-first = Connect
url-missing = Enter an address, such as wss://shop.example/ws/user-channel, ntfy.sh/alerts or https://push.example/.
next-connect = Tidings connects and stays connected, also after the computer sleeps or the server restarts.
next-sign-in = If the server wants a token, you are asked for it here. It goes into your keyring.
next-arrive = What arrives pops up on your desktop and is kept in the inbox.
or = or
try-demo = Try the demo channel
try-demo-text = Starts a small server on this computer that sends a few messages. Nothing leaves your machine.
end-demo = End the demo

## The channels and their settings

add-channel = Add a channel
open-settings = Open its settings
command-of = { $command }: { $name }
remove-channel = Remove the channel
remove-title = Remove this channel?
remove-text = It is disconnected, and its token is removed from the keyring. Its messages stay in the inbox.
channel-removed = Channel removed
channel-added = Channel added
no-such-channel = There is no such channel
no-such-channel-text = It may have been removed or renamed in the settings file.
demo-settings = The demo has no settings
demo-settings-text = It ends with Tidings and stands in no file. Add a channel of your own when you are ready.
settings-failed = The settings could not be read
file-wrong-title = The settings file has a mistake in it
file-wrong = Mend { $file } in an editor. Until then the last good settings stay in force, and nothing can be changed here.
changed-elsewhere = The settings file was changed meanwhile. What you typed is still here: look it over and save again.
changed-elsewhere-reloaded = The settings file was changed meanwhile, and was read again.
basics = The channel
url = Address
name = Name
name-hint = Shown in the tray and on popups. Without one it is the server’s name.
enabled = Connect when Tidings starts
enabled-hint = Otherwise it waits until you connect it.

## How a channel signs in

sign-in = Sign-in
sign-in-text = How the server knows that it is you. A secret never stands in the settings file.
auth = Method
auth-bearer = Bearer token
auth-basic = User name and password
auth-header = Token in a header of its own
auth-query = Token in the address
auth-cookie = Token in a cookie
auth-none = None
auth-name = Name of the header, parameter or cookie
username = User name
source = Where the secret is
source-keyring = In the keyring
source-command = Printed by a command
source-file = In a file
source-env = In an environment variable
token-command = Command
token-command-hint = The first line that it prints is the secret.
token-file = File
token-file-hint = Keep it readable by you alone.
token-env = Variable
token-env-hint = Its name, without the $.
secret = Token or password
secret-hint = Kept in your keyring, and never shown again.
secret-kept = One is kept
secret-kept-hint = One is kept in your keyring. Type another to replace it.
no-keyring = There is no keyring on this desktop. Use a command, a file or an environment variable.
remove-secret = Remove it
secret-removed = Removed from the keyring

## Trying a channel

sending = Sending
sending-text = For `tidings send`. An ntfy channel needs none of it.
send-url = Address that takes messages
send-url-hint = Where the server is neither ntfy nor Gotify: it gets a POST of JSON.
send-token-command = Command that prints a token for sending
send-token-hint = Gotify's is the token of an application.
send-token-file = File with a token for sending
send-token-env = Variable with a token for sending
# Finds out what is at the address that was typed.
discover = Find out what is there
discovering = Asking the server, without a secret …
discover-proposed = The form is filled in; nothing is connected before you add the channel.
test-connection = Test connection
test-warning = The test signs in for a moment. If another tab or device of yours has this channel, the server may push it out.
testing = Testing…
test-good = It works.
test-bad = It does not work yet.
step-good = Good
step-bad = Failed
step-noted = Noted
step-secret = Secret
step-name = Name lookup
step-address = Address
step-proxy = Proxy
step-tcp = TCP connection
step-tls = Encryption (TLS)
step-upgrade = Sign-in and upgrade
step-ping = First ping

## What is spoken with the server

kind = What is there?
kind-recipe = A user channel: every frame is a message
kind-ntfy = ntfy
kind-gotify = Gotify
kind-dialogue = Another WebSocket, with a dialogue
kind-hint = What Tidings speaks with this server.
topics = Topics
topics-hint = One a line. All of them come over one connection.
preset = Protocol
preset-none = None of these: I say it myself
preset-hint = A dialogue that comes with Tidings. What you say below comes before it.
set = What it needs
set-needed = needed
dialogue = Dialogue
dialogue-text = What is sent after the open, what each frame means, and what keeps the connection alive. Texts are templates: {"{{"} secret {"}}"} is the token or password, {"{{"} n {"}}"} a number that grows.
greet = Sent after the open
greet-hint = In this order.
add-greet = Add a text
greet-text = Text
on = When the server sends
on-hint = The first rule that holds says what a frame is. What no rule takes is a message.
add-on = Add a rule for frames
on-when = When
on-say = Answer
on-message = Message at (JSON Pointer)
on-refused = Refused, and told as
on-connected = The subscription stands
on-signed-in = The sign-in was taken
on-caught-up = All that was missed has come
on-replaced = Another instance took over
on-ignore = Ignore it
on-once = Only once a connection
beat = Sent every so often
beat-hint = Instead of the heartbeat.
add-beat = Add a beat
beat-text = Text
beat-interval = Every
subprotocol = Subprotocol
subprotocol-hint = Asked for when connecting, where the server wants one.
framing = Frames hold
framing-default = As the protocol says, or one text
framing-text = One text
framing-lines = JSON texts, one a line
framing-records = JSON texts, ended by U+001E
framing-stomp = STOMP
framing-socket-io = Socket.IO
auth-dialogue = As the dialogue says it
sample-frames = Sample frames
sample-frames-hint = One a line, or set apart by blank lines. “close 4001 reason” stands for a close frame.
turn-open = The connection has opened
turn-said = Says { $text }
turn-unsaid = A text can’t be made and is not sent: a name in it isn’t known here.
turn-noise = Noise: nothing follows.
turn-sign-in = Waits for the sign-in
turn-subscribe = Waits for the subscription
turn-connected = Connected
turn-caught-up = All that was missed has come
turn-refused = Refused: { $why }
turn-replaced = Replaced: stays quiet
turn-ended = The connection ends, and is made anew

## How messages are read

show = Popups tell
show-full = Title and text
show-title = The title only
show-nothing = Only that something came
show-hint = How much of a message others can read over your shoulder.
picture = Picture
picture-text = Tidings fetches no pictures.
format = Messages are written as
format-plain = Plain text
format-markdown = Markdown
format-hint = For messages that don't say it themselves.
ignore = Texts to ignore
ignore-hint = One a line. Exactly these texts are protocol noise and become no messages. The usual keep-alives are known as well.
ignore-empty = Empty texts, too
ignore-when = Ignore also when
ignore-when-hint = An expression over the message, as in a rule.
use-default = Use the default
mapping = Where the parts of a message are
mapping-text = Only needed where the usual names don’t fit. Each is a JSON Pointer such as /payload/subject, or a template such as {"{{"} payload.who {"}}"}.
mapped-title = Title
mapped-body = Text
mapped-id = Id
mapped-time = Time
mapped-priority = Priority
mapped-url = Link
mapped-icon = Icon
mapped-image = Image
mapped-tag = Tag (replaces the popup of the same tag)
mapped-actions = Buttons
mapped-silent = Silent
mapped-expires = Expires
rules = Rules
rules-hint = The first that matches decides what a message does.
add-rule = Add a rule
rule-when = When
rule-then = Then
rule-urgency = Urgency
rule-sound = Sound
then-default = As the message says
then-notify = Pop up
then-silent = Pop up without a sound
then-store = Only keep it in the inbox
urgency-default = By its priority
urgency-low = Low
urgency-normal = Normal
urgency-critical = Critical
preview = Preview
sample = A sample message
sample-hint = Left empty, it is the last message received.
sample-placeholder = Paste what your server sends
sample-too-long = No message is longer than 1 MiB: this sample is.
no-sample = Paste a sample to see what it becomes: no message has come yet.
preview-popup = Pops up, and is kept in the inbox.
preview-no-popup = Kept in the inbox without a popup.
preview-ignored = Protocol noise: it becomes no message.

## The advanced settings of a channel

advanced = Advanced
advanced-text = Proxies, certificates, timing. The defaults suit nearly everyone.
heartbeat = Heartbeat
heartbeat-group-text = Durations are written with a unit: 1500ms, 60s, 5m, 1h.
heartbeat-text = Text
heartbeat-on = Send
heartbeat-text-hint = Keeps proxies from cutting a silent connection.
heartbeat-interval = After a silence of
heartbeat-interval-hint = At most two thirds of the proxy’s time.
proxy-timeout = A proxy cuts after
proxy-timeout-hint = The server’s proxy_read_timeout.
liveness = Proof of life
ping-after = Ping after a silence of
ping-after-hint = 0s sends no pings.
ping-deadline = Dead without an answer in
ping-deadline-hint = Then Tidings connects anew.
backoff = Reconnecting
backoff-first = First wait at most
backoff-first-hint = Too short, and a restarting server is stormed.
backoff-cap = Later waits at most
backoff-cap-hint = The longest ordinary wait between two tries.
taking-over = Other tabs and devices
quiet-close-codes = Close codes that mean “replaced”
quiet-close-codes-hint = One a line. After these Tidings stays quiet.
take-back-after = Take over again after
take-back-after-hint = never, or a time such as 30m.
resume-parameter = Parameter for missed messages
resume-hint = Where the server offers it: carries the last message’s id on a reconnect.
way-there = Connection
headers = Headers
headers-hint = Sent along when connecting. No secrets: those belong under Sign-in.
add-header = Add a header
header-name = Name
header-value = Value
proxy = Proxy
proxy-hint = Left empty, the desktop’s own is used.
ca-file = Further certificate authority
ca-file-hint = A PEM file that is trusted besides the system’s.
client-cert = Client certificate
client-cert-hint = A PEM file with the chain, and the key unless it stands below.
client-key = Its key
client-key-hint = Only where the key is in a file of its own.
allow-plaintext = Allow an unencrypted connection
allow-plaintext-hint = ws:// to another computer: everybody on the way can read along.
channel-id = Id
channel-id-hint = Stays when the name changes. Left empty, it is made from the name.

## The settings that are no channel’s

general = General
language = Language
language-auto = As the desktop
theme = Appearance
theme-auto = As the desktop
theme-light = Light
theme-dark = Dark
start-at-login = Start at login
start-at-login-hint = Tidings waits in the tray.
notifications = Notifications
burst = Popups at once
burst-hint = What is more becomes one popup that counts.
refill = One more every
refill-hint = Such as 2s.
down-after = Tell me when a channel is down for
down-after-hint = Once, and withdrawn when it is back. Such as 10m.
quiet-hours = Quiet hours
quiet-hours-hint = Nothing pops up then; it is summed up afterwards. They may cross midnight.
add-quiet-hours = Add quiet hours
days = Days
from = From
to = To
critical-breaks = Critical messages pop up all the same
critical-breaks-hint = Also during a pause.
keep-days = Keep messages for so many days
keep-messages = Keep at most so many messages
keep-hint = The oldest go first.
settings-file-title = Settings file
settings-file-text = Everything here is also in this file. You can edit it by hand while Tidings runs.
copy-path = Copy path
quit-title = Quit Tidings
quit-text = Ends Tidings and this window. No messages come until you start it again.
quit = Quit

## How a channel did

uptime = Connected
round-trip = Round trip
silence-endured = Silence endured
kept-awake = Kept awake every { NUMBER($count) } s
last-heard = Last heard
last-heartbeat = Last heartbeat
reconnects = Reconnects
last-close = Last close
sent-again = Sent again, dropped
noise = Protocol noise, ignored
no-health = No channel to look at
no-health-text = Add a channel, and its last 24 hours are told here.
health-failed = Nothing could be told about this channel
never-fell = It has not fallen in the last 24 hours.
fell-back = It fell at { $time } because { $cause }, and came back in { $after }.
fell = It fell at { $time } because { $cause }.
fell-said-back = It fell at { $time } ({ $cause }), and came back in { $after }.
fell-said = It fell at { $time } ({ $cause }).
because-closed = the server closed it
because-away = the server went away
because-error = the server had an error
because-restarted = the server restarted
because-busy = the server was too busy
because-replaced = another tab or device took over
because-lost = the connection was lost
last-day = The last 24 hours
as-table = As text
band-line = { $from } to { $to }: { $state }
band-line-because = { $from } to { $to }: { $state } ({ $cause })
name-connected = Connected
name-connecting = Connecting
name-waiting = Reconnecting
name-disconnected = Disconnected
name-replaced = Replaced
name-needs-user = Needs you
round-trips = Round trips
round-trips-text = Lowest { NUMBER($least) } ms, usual { NUMBER($median) } ms, highest { NUMBER($most) } ms
no-round-trips = None has been measured yet.
links = Recent links
no-links = There has been none yet.
link-opened = Opened
link-lasted = Lasted
link-ended = Ended because
link-back = Back
link-up = Still up
back-in = back in { $time }
milliseconds = { NUMBER($ms) } ms
seconds = { NUMBER($count) } s
whole-minutes = { NUMBER($count) } min
minutes = { NUMBER($minutes) } min { NUMBER($seconds) } s
hours = { NUMBER($hours) } h { NUMBER($minutes) } min
