### What only the window's page says.

channels = Channels
messages = Messages

needs-you = Needs your attention
state-unknown = Not connected while Tidings’ back end is away
channel-news = { $name }: { $state }
paused-until = Popups are paused until { $time }. Messages still arrive here.
paused = Popups are paused until you resume them in the tray’s menu. Messages still arrive here.

no-channel-title = No channel yet
no-channel-text = Write these lines to { $file }, with your own name, address and token:
no-channel-then = The channel appears here as soon as the file is saved. Nothing needs to be restarted.
copy-example = Copy these lines

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
found = { $all ->
    [one] { NUMBER($found) } of { $all } message
   *[other] { NUMBER($found) } of { $all } messages
}
no-messages-title = No messages yet
no-messages-text = What your channels send appears here, newest first, and as a notification on your desktop.
no-messages-no-link = No channel is connected right now: connect one above to receive messages.
no-messages-no-channel = Messages appear here once there is a channel.
no-hits-title = No message found
no-hits-text = { $all ->
    [one] The only message does not have “{ $searched }” in its title, text or channel.
   *[other] None of the newest { $all } has “{ $searched }” in its title, text or channel.
}
clear-search = Clear search
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
