### Popups: what the desktop shows for messages.

popup-summary = { $count ->
    [one] 1 message
   *[other] { $count } messages
}
popup-summary-of-channel = { $count ->
    [one] 1 message from { $channel }
   *[other] { $count } messages from { $channel }
}
popup-more = { $count ->
    [one] 1 more message
   *[other] { $count } more messages
}
popup-more-of-channel = { NUMBER($count) } more from { $channel }
# All that a private channel's popup tells.
popup-new-message = New message
# A channel that has not been connected for a while, and one that won't be before the user does something.
popup-down = { $channel } is not connected
popup-down-since = Since { $time }; Tidings keeps trying
popup-down-since-because = Since { $time }: { $cause }; Tidings keeps trying
# The same of what waiting does not mend; what to do follows on the next line.
popup-down-since-needing = Since { $time }: { $cause }
popup-needs-user = { $channel } needs you
# A message of Tidings' own in the inbox, in place of what the server would send again but can't.
missed-session = Messages may be missing: the server has not kept all that came while Tidings was away.
# In the inbox, once; the gap is told as in gap-between.
missed-gap = Of this channel, { $gap }: the server did not have them any more when Tidings came back.
missed-too-big = One of the messages that came while this channel was away is too big to be received (over 64 MiB), or its frame breaks the WebSocket protocol. What was missed is skipped; look for it at the server.
# What a click should have opened was not: the body says why.
popup-not-opened = Nothing opened
# What stands in the inbox for a message that can't be had, or not all of it.
message-too-big = A message of { NUMBER($bytes) } bytes is too big to be received (over 1 MiB) and was passed over; look for it at the server.
message-broken = A message of { NUMBER($bytes) } bytes can't be read, for its frame breaks the WebSocket protocol. It was passed over; look for it at the server.
message-binary = { $count ->
    [one] Binary message, 1 byte
   *[other] Binary message, { $count } bytes
}
message-garbled = This channel's server sends text that is not UTF-8. What can't be read of it is shown as �.
# The button that opens the message.
popup-open = Open
