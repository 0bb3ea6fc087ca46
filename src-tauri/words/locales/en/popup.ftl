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
# The button that opens the message.
popup-open = Open
