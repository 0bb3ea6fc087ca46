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
# The same of what waiting does not mend; what to do follows on the next line.
popup-down-since-needing = 自 { $time } 起：{ $cause }
popup-needs-user = “{ $channel }”需要您处理
# A message of Tidings' own in the inbox, in place of what the server would send again but can't.
missed-session = 可能有消息缺失：Tidings 离开期间的消息，服务器没有全部保留。
missed-gap = 此频道{ $gap }：Tidings 重新连接时服务器已不再保留它们。
missed-too-big = 此频道离线期间的某条消息过大（超过 64 MiB）或其帧违反了 WebSocket 协议，无法接收。错过的消息已跳过，请到服务器上查看。
# What a click should have opened was not: the body says why.
popup-not-opened = 未能打开
# What stands in the inbox for a message that can't be had, or not all of it.
message-too-big = 一条 { NUMBER($bytes) } 字节的消息过大（超过 1 MiB），无法接收，已跳过，请到服务器上查看。
message-broken = 一条 { NUMBER($bytes) } 字节的消息无法读取，因为其帧违反了 WebSocket 协议。该消息已跳过，请到服务器上查看。
message-binary = 二进制消息，{ $count } 字节
message-garbled = 此频道的服务器发送了非 UTF-8 文本，无法读取的部分显示为 �。
# The button that opens the message.
popup-open = 打开
