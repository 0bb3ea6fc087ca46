### Popups: what the desktop shows for messages.

popup-summary = { $count } 条消息
popup-summary-of-channel = 来自“{ $channel }”的 { $count } 条消息
popup-more = 还有 { $count } 条消息
popup-more-of-channel = “{ $channel }”还有 { $count } 条消息
# All that a private channel's popup tells.
popup-new-message = 新消息
# A channel that has not been connected for a while, and one that won't be before the user does something.
popup-down = “{ $channel }”未连接
popup-down-since = 自 { $time } 起；Tidings 会继续尝试
popup-down-since-because = 自 { $time } 起：{ $cause }；Tidings 会继续尝试
popup-needs-user = “{ $channel }”需要您处理
# The button that opens the message.
popup-open = 打开
