### Popups: what the desktop shows for messages.

popup-summary = { $count } 条消息
popup-summary-of-channel = 来自“{ $channel }”的 { $count } 条消息
popup-more = 还有 { $count } 条消息
popup-more-of-channel = “{ $channel }”还有 { $count } 条消息
# All that a private channel's popup tells.
popup-new-message = 新消息
# The button that opens the message.
popup-open = 打开
