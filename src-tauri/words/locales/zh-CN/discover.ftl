### 粘贴的地址处有什么，以及如何处理。

# What a server is: "Gotify 2.9.1".
discover-is = 这是 { $what }
discover-websocket = 这是 WebSocket
discover-events = 这是服务器推送事件流
discover-broker = 这是 MQTT 服务器的地址，且该处有应答
discover-broker-websocket = 从路径看，这是 MQTT 服务器的 WebSocket
discover-assumed = 该处没有 Tidings 能自行识别的服务；将其视为普通的 WebSocket
discover-page = 该处应答的是网页，没有可以监听的内容
discover-nothing = 该处没有 Tidings 认识的服务

discover-plaintext = 与 { $host } 的通信不会加密，途中任何人都能读到内容；请写 https://（MQTT 服务器请写 mqtts://），如果确实如此，请设置 allow_plaintext = true（`tidings discover --allow-plaintext`）
discover-mend-topics = 请在 `topics` 中写明要监听的主题，或粘贴 { $host }/主题
discover-mend-filters = 请在 `topics` 中写明要接收的主题，例如 "home/#"
discover-mend-gotify = 它需要客户端令牌作为密钥：请在 Gotify 的“Clients”中创建
discover-mend-old-socket-io = Tidings 支持 Socket.IO 3 和 4：请让服务器管理员升级
discover-mend-page = 请向服务器管理员索取其 WebSocket 地址，以 wss:// 开头
discover-mend-nothing = 请检查地址；或向服务器管理员索取其 WebSocket 地址，以 wss:// 开头
discover-mend-sign-in = 服务器在登录之前不表明身份：请自行选择频道类型
discover-mend-no-tls = 请检查端口；如果服务器本来就不加密，请写 http://{ $host }
# `tidings discover`: what would stand in the settings file.
discover-channel = 以下设置可以监听该处：
