### 发送消息：为何不能或未能发送。

send-empty = 没有要发送的文本
send-priority = 优先级为 1 到 5
send-cannot = Tidings 不知道如何向此频道的服务器发送消息；如果它接受 JSON 的 POST 请求（`tidings-server` 即是），请在 send_url 中写明地址
send-mqtt = Tidings 只接收 MQTT 服务器的消息，不向其发布
send-gotify-token = Gotify 只接受应用的消息：请在其中创建应用，并在 send_token_command、send_token_file 或 send_token_env 中指定其令牌；Gotify 3.0 及更新版本也可在 send_app 中写明其编号
send-which-topic = 请用 --topic 指明频道中的哪个主题：{ $known }
send-only-ntfy = 只有 ntfy 才有主题和标签
# Why it wasn't sent.
send-failed = 未发送：{ $cause }
# The server's own words, which are untrusted.
send-said = { $cause }：{ $said }
send-ntfy-login = 服务器不认识此用户或令牌 ({ $code })
send-ntfy-forbidden = 以此登录（或未登录）不得写入该主题 ({ $code })
send-ntfy-too-long = 消息超出服务器允许的长度 ({ $code })
send-ntfy-bandwidth = 服务器今天的附件流量已用完 ({ $code })
send-ntfy-daily = 服务器每天允许的消息数已用完 ({ $code })
send-ntfy-locked = 来自此处的登录失败次数过多：服务器暂时拒绝登录，继续尝试只会延长时间 ({ $code })
send-ntfy-requests = 请求过多：请等待一分钟 ({ $code })
send-gotify-client = 服务器拒绝以频道自己的令牌发送：3.0 之前的 Gotify 只接受应用的令牌，请在 send_token_command、send_token_file 或 send_token_env 中指定 ({ $status })
send-gotify-refused = 服务器需要应用的令牌，而不是客户端的 ({ $status })
send-token-refused = 服务器拒绝了 send_token_command、send_token_file 或 send_token_env 的令牌，或需要令牌 ({ $status })
send-too-long = 消息超出服务器允许的长度 (413)
