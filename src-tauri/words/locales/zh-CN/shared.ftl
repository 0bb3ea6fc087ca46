### What tray and window both say of channels.

state-connected = 已连接（自 { $time } 起）
state-connected-unchecked = 已连接（自 { $time } 起，无法检测链路）
# A state, and the topics that the server lets this user not read.
state-left-out = { $state }；无权访问 { $topics }
state-gap = { $state }；{ $gap }
gap-between = { $from } 至 { $until } 的消息可能缺失
gap-since = { $from } 之后的消息可能缺失
gap-before = { $until } 之前的消息可能缺失
gap-some = 可能有消息缺失
state-connecting = 正在连接
state-connecting-again = 正在连接（第 { NUMBER($attempt) } 次尝试）
state-connecting-stage = 正在连接（{ $stage }）
state-waiting = 将于 { $time } 重新连接
state-waiting-because = 将于 { $time } 重新连接：{ $cause }
state-disconnected = 已断开
state-replaced = 已被其他标签页或设备接管（自 { $time } 起）

# What carries a channel's messages.
carried-websocket = WebSocket
carried-sse = 服务器推送事件 (SSE)
carried-json-lines = JSON 行
carried-mqtt = MQTT
carried-sockjs = SockJS（WebSocket）
carried-sockjs-streaming = SockJS（数据流）
carried-sockjs-polling = SockJS（轮询）
# Why another one is in use.
carried-instead = { $of } 未能连通，已连续失败 { NUMBER($times) } 次：{ $cause }
carried-instead-known = 已知 { $of } 在此网络中无法连通

stage-sign-in = 登录
stage-subscribe = 订阅

action-connect = 连接
action-reconnect-now = 立即重新连接
action-sign-in = 登录…
action-take-over = 在此处接管
action-disconnect = 断开连接
action-connect-all = 全部连接
action-disconnect-all = 全部断开
