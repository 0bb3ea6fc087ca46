### What `--help` tells of each command and its arguments. Where there is no space a terminal doesn't break a line well, so each
### line here is short enough for 80 columns.

help-usage = 用法:
help-usage-options = [选项]
help-commands = 命令
help-arguments = 参数
help-options = 选项
help-default = { $help } [默认：{ $value }]

help-tidings = 保持用户频道的连接，并以通知显示其消息
help-tidings-more = 不带命令时：在托盘中启动 Tidings；如已在运行，则显示其窗口
help-background = 静默启动，如同登录时：被接管的频道保持原状，也不打开窗口
help-open = 启动后打开窗口
help-add = 启动并打开窗口的添加频道页面，填入此地址
help-help = 显示帮助
help-version = 显示版本
help-exit-codes =
    退出码：0 完成，1 失败，2 参数或设置有误，3 Tidings 未运行，
    4 被另一实例接管 (listen)，5 登录被拒绝 (listen)。
help-logs =
    日志写入标准错误输出和状态文件夹中的文件；TIDINGS_LOG 设置日志级别
    (error, warn, info, debug, trace)。

# Arguments of several commands.
help-channel = 设置文件中频道的 ID 或名称
help-channel-or-all = 频道的 ID 或名称；省略则为所有频道
help-channel-if-several = 设置文件中频道的 ID 或名称；只有一个时可省略
help-json-object = 输出一个 JSON 对象
help-json-lines = 每行输出一个 JSON 对象

help-status = 显示运行中的 Tidings 的各频道状态
help-connect = 连接一个频道或所有频道，并保持连接
help-disconnect = 断开一个频道或所有频道；重启后仍保持断开
help-takeover = 频道被另一实例接管后，在此处重新连接
help-sign-in = 在 Tidings 的窗口或浏览器中打开频道用户登录的网页
help-sign-out = 结束频道的登录：通知网站，忘记登录凭据，并断开连接
help-pause =
    暂停通知：一段时间 (`pause 1h`)、到某一时刻 (`pause until 08:00`)
    或直到 `resume`
help-pause-more = 期间的消息仍进入收件箱，紧急消息照常弹出，其余消息在结束后汇总为一条通知
help-pause-time = 时长（如 30m 或 1h）、`until HH:MM` 或 `off`；省略则直到恢复为止
help-resume = 恢复显示通知
help-quit = 退出运行中的 Tidings 及其窗口，并等待其结束
help-tail = 在消息到达时输出运行中的 Tidings 的消息，也可先输出已存储的消息
help-tail-since =
    从此后已存储的消息开始：时长（如 1h）、时刻（如 08:00 或
    2026-03-01T08:00:00Z），或消息的服务器 ID（从其后开始）
help-tail-search = 仅输出包含所有这些词的消息，不论已存储还是新到
help-tail-no-follow = 输出已存储的消息后即结束
help-send = 通过频道发送消息，如果其服务器接受
help-send-text = 消息文本；- 表示从标准输入读取
help-send-title = 标题
help-send-priority = 优先级，从 1 到 5；3 为普通
help-send-tag = 标签，可多次使用
help-send-topic = 有多个主题时，发送到频道的哪个主题
help-discover = 查明地址处是什么服务，以及用什么频道监听
help-discover-address = 粘贴的内容：网页、服务器、主题或频道的地址
help-discover-allow-plaintext = 即使到另一台机器的途中没有加密也照样查看
help-doctor = 查明频道为何无法连接，以及如何解决
help-doctor-url = 要检查的网址，如 wss://shop.example/ws/user-channel
help-doctor-upgrade =
    继续尝试协议升级和首次 ping，即使会顶替同一用户的
    其他实例。运行中的 Tidings 保持连接的频道无需此选项：
    Tidings 会先断开自己的连接，尝试后再恢复
help-doctor-idle =
    测量空闲连接能保持多久，并建议心跳间隔；
    需要建立连接，因此隐含 --upgrade
help-doctor-max = 等待空闲连接断开的最长时间
help-diagnostics =
    将报告问题所需的内容打包成一个归档：版本、机器、设置、状态、
    日志和崩溃报告
help-diagnostics-more = 可能涉密的内容会被略去；最后输出归档的位置
help-diagnostics-file = 归档，一个尚不存在的 .tar.gz 文件；省略则存放在当前文件夹中
help-export = 以 TOML 格式输出设置中的频道，不含密钥
help-export-file = 尚不存在的文件；省略则写到标准输出
help-import = 将 `export` 输出的频道加入设置，并说明每个频道的结果
help-import-file = 文件
help-import-replace = 同时更改已存在但有差异的频道
help-secret = 将频道的密钥存入密钥环，或从中删除
help-secret-set = 询问频道的密钥（或读取标准输入的第一行）并存入密钥环
help-secret-clear = 从密钥环中删除频道的密钥
help-secret-export = 将频道的密钥（例如会话）写入仅您可读的新文件，或标准输出
help-secret-export-file = 尚不存在的文件；省略时写到标准输出，但不会写到终端
help-secret-import = 将 `secret export` 写出的内容存入本机的密钥环
help-secret-import-file = 文件；省略时读取标准输入
help-listen = 收听一个频道并输出收到的内容，不用托盘、窗口和收件箱
help-listen-url =
    无需设置的频道的网址，
    如 ws://127.0.0.1:8080/ws/user-channel?user=me
help-of = 显示此帮助，或某个命令的帮助
help-of-command = 命令；省略则显示此帮助
help-sign-in-code = 通过任意设备的浏览器：给出网页和需输入的代码（OAuth）
