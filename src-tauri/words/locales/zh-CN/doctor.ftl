### An examination of a channel, step by step: what was found, and what to do about it.

# A step's line in the terminal.
doctor-line = { $mark } { $step }：{ $detail }
doctor-line-timed = { $mark } { $step }：{ $detail }（{ $ms } 毫秒）
# Something found, and where.
doctor-about = { $what }：{ $detail }

doctor-step-name = 域名
doctor-step-proxy = 代理
doctor-step-address = 地址
doctor-step-tcp = TCP
doctor-step-tls = TLS
doctor-step-secret = 密钥
doctor-step-upgrade = 协议升级
doctor-step-sign-in = 登录
doctor-step-subscription = 订阅
doctor-step-ping = ping
doctor-step-carrier = 传输
doctor-step-dialect = 语言
doctor-step-idle = 空闲
doctor-step-clock = 时钟

doctor-no-lookup = { $host } 无需解析
doctor-looked-up = { $host } 解析为 { $addresses }
doctor-through-proxy = 经由 { $proxy }
doctor-certificate = { $version }，证书由 { $issuer } 签发，剩余 { $days } 天
doctor-certificate-nobody = 未具名的机构
doctor-no-address = 所有地址均无应答
doctor-stopped = 未尝试：这会顶替同一用户的其他实例
doctor-not-lent = 未尝试：该频道正在检查中，或 Tidings 正在退出
doctor-secret-there = 已找到
doctor-secret-none = 没有
doctor-stream-silent = 事件流无法询问服务器：只能从服务器主动发送的内容看出它是否存活
doctor-upgraded = 服务器接受了该频道
doctor-upgraded-at = 服务器在 { $address } 接受了该频道
doctor-v1-refused = 服务器声称支持 tidings.v1，但请求它的升级都没有成功（可能被代理拦截）：此频道改用普通方式
doctor-carried = 传输方式：{ $carrier }（{ $instead }）
doctor-carried-alone = 传输方式：{ $carrier }
doctor-held = 服务器已接受该频道：它已连接，并保持连接
doctor-signed-in = 服务器接受登录
doctor-subscribed = 服务器会发送这些主题的消息
doctor-subscribed-but = 服务器拒绝以下主题：{ $topics }
doctor-broker-unknown = 未尝试：由谁登录、接收哪些主题，需写在频道的设置中
doctor-idle-broker = 未尝试：使用 MQTT 时，Tidings 会按服务器的要求自行 ping
doctor-pong = 服务器会应答 ping，断线能被及时发现
doctor-no-pong = 服务器不应答 ping，无法区分连接已断开还是暂时没有数据
doctor-no-pings = 未尝试：liveness.ping_after 为 0s
doctor-idle-lives = 空闲连接可保持 { $seconds } 秒以上
doctor-idle-ended = 空闲连接在 { $seconds } 秒后断开：{ $cause }
doctor-idle-quicker = 空闲连接在 { $seconds } 秒后断开：{ $cause }；默认 60s 的心跳更快，无需调整

mend-certificate-soon = 请更新证书
mend-stopped = 使用 --upgrade 可继续尝试
mend-not-lent = 请过一分钟再试
mend-no-pong = 请让服务器或其前面的代理应答 WebSocket ping（RFC 6455 第 5.5.2 节）
mend-idle-hopeless = 再快的心跳也来不及：请询问服务器管理员为何断开连接
mend-idle = 请将 { $setting } 写入该频道的设置
mend-proxy-name = 请检查设置或 HTTPS_PROXY 中的代理名称
mend-lookup = 请检查主机名的拼写、网络和 DNS
mend-unreachable = 请检查端口、途中的防火墙，以及服务器是否在运行
mend-timed-out = 途中有设备丢弃数据包：请检查防火墙、VPN 和代理
mend-proxy = 请检查代理，以及它是否允许访问此主机和端口；NO_PROXY 可排除主机
mend-tls = 请检查此端口是否使用 TLS，以及途中是否有设备干扰
mend-authority = 如果此网络需要登录，请先在浏览器中打开任意网页；如果此处有检查流量的代理，或颁发机构是私有的，请在 ca_file 中写明其证书；否则请让服务器发送有效的证书及其证书链
mend-certificate = 请让服务器发送有效的证书及其证书链；私有证书颁发机构可用 ca_file 信任
doctor-clock = 与服务器的时钟相比，本机时钟{ $which ->
    [slow] 慢
   *[fast] 快
} { $by }
doctor-minutes = { NUMBER($count) } 分钟
doctor-hours = { NUMBER($count) } 小时
doctor-days = { NUMBER($count) } 天
mend-clock-first = 两边的时钟不一致，仅此就可能是原因：请先校准本机时钟（或通过网络 NTP 校准）；如果本机时钟正确，则是服务器的时钟有误；否则：{ $otherwise }
mend-clock = 请校准本机时钟，或启用网络校时（NTP）
mend-expired = 请让服务器更新证书；如果日期不对，请校准本机时钟
mend-self-signed = 如果确实是正确的服务器，请将其证书存为文件，并在 ca_file 中指定；如果此网络需要登录，请先在浏览器中打开任意网页
mend-intermediate = 请让服务器发送完整的证书链（`fullchain.pem`）；私有证书颁发机构可用 ca_file 信任；如果此网络需要登录，请先在浏览器中打开任意网页
mend-ours-refused = 请检查 client_cert 和 client_key：服务器管理员知道它需要哪份证书
mend-ca-file = ca_file 需要 PEM 格式，`-----BEGIN CERTIFICATE-----`
mend-wrong-name = 请检查主机名的拼写：证书属于另一个名称
mend-proxy-sign-in = 请在 HTTPS_PROXY 或 ALL_PROXY 中写入用户名和密码
mend-forbidden = 许多服务器对任何问题都答 403：请检查密钥、网址的路径，以及 `headers` 是否需要 `Origin`
mend-no-secret = 没有发送密钥：如果服务器需要，请用 `tidings secret set` 保存；否则请检查网址的路径，以及 `headers` 是否需要 `Origin`
mend-hung-up = 请检查网址的路径和端口：该处的程序可能不支持 HTTP，或没有此路径
mend-broker-websocket = 请检查端口：MQTT 服务器用单独的端口接受 WebSocket，而且需要启用；对它的普通端口请写 mqtt:// 或 mqtts://
mend-no-mqtt = 请检查端口：在此监听的服务不支持 MQTT，或者需要 TLS (mqtts://) 而未使用，或者相反
mend-moved = 如果确实是正确的服务器，请将 { $to } 写入设置
mend-behind = 代理后面的服务器离线或繁忙：请稍候，或询问其管理员
mend-sign-in = 请更新密钥：使用 `tidings secret set`，或更新 token_command、token_file 或 token_env 提供的内容
mend-session = 请重新登录：在 Tidings 中选择“登录…”，或运行 `tidings sign-in`
mend-role = 请向网站管理者申请使用此频道的权限，或以其他用户身份登录
mend-stream-address = 请检查地址：它必须以服务器推送事件（text/event-stream）作答
mend-address = 请检查网址的路径；前面的代理必须转发 `Upgrade` 和 `Connection`
mend-limit-subscriptions = 把此服务器的所有主题放进一个频道，或关闭它的其他客户端
mend-busy = 服务器繁忙，请稍候
mend-server-error = 请让服务器管理员查看其日志
mend-status = 请检查网址，以及服务器要求的 `headers`
mend-captive-portal = 请在浏览器中打开任意网页并登录此网络
mend-closed = 请询问服务器管理员为何断开连接；也可能是前面的代理断开的
mend-silent = 网络丢弃了发出的数据：请检查网络及其代理
mend-owner = 请按提示处理
mend-denied = 请检查密钥、用户和订阅的内容
mend-broker-version = MQTT 服务器必须支持 MQTT 5 或 3.1.1：请询问其管理员
mend-broker-client-id = 请在 `client_id` 中写上 MQTT 服务器要求的客户端 ID，或删除此键；服务器管理员知道该写什么
mend-broker-password = 请检查 `username`（需设置 auth = "basic"），并更新密钥：使用 `tidings secret set`，或更新 token_command、token_file 或 token_env 提供的内容
mend-broker-not-allowed = 请检查 `username`（需设置 auth = "basic"）和密钥（`tidings secret set`）；否则请让 MQTT 服务器的规则 (ACL) 允许此用户读取 `topics` 中的每个主题
mend-broker-taken = 另一个客户端使用了相同的 `client_id`：请各用各的，或在此处删除此键
mend-broker-topics = 请检查 `topics`：MQTT 服务器不接受这样的主题
mend-broker-elsewhere = 请向 MQTT 服务器的管理员询问新地址，并写入 `url`
mend-broker-log = 请让 MQTT 服务器的管理员查看其日志
mend-broker-unknown = 请添加频道并指定它：`tidings doctor --channel 名称`
mend-broker-no-secret = 未发送密钥：如果服务器需要，请用 `tidings secret set` 保存，并用 `username` 和 auth = "basic" 说明属于谁
mend-broker-random-id = { $otherwise }；也可能是服务器要求设置中的客户端 ID：此处为了不顶替任何人，使用了随机的客户端 ID
mend-foreign = 请检查频道的类型（及预设）和网址
mend-local = 请重试

dialect-unspoken = 服务器使用 { $name }，而此频道没有相应设置
dialect-ntfy = 服务器是 ntfy：在频道中注明后，其消息才会按 ntfy 的方式读取
mend-sockjs = 请填写页面传给 `new SockJS(…)` 的前缀地址 `https://…`（不含服务器和会话编号）
mend-dialect = 请为此频道设置 { $text }
