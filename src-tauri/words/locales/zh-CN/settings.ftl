### What is wrong in the settings file, and how to mend it. Said after the file's name, line and column.

settings-error = { $place }：{ $message }；{ $mend }
settings-error-alone = { $message }；{ $mend }

settings-not-utf8 = 文件从此处起不是 UTF-8
settings-twice = `{ $key }` 出现了两次
settings-not-toml = 这不是 TOML：{ $why }
settings-not-a-file = 不是普通文件
settings-too-large = 超过 1 MiB
settings-no-permission = 没有读取权限
settings-unreadable = 无法读取：{ $why }
settings-unknown-key = { $table } 中有未知的键 `{ $key }`
settings-unknown-key-at-top = 文件开头有未知的键 `{ $key }`
settings-secret-key = { $table } 中的 `{ $key }` 看起来是密钥
settings-secret-key-at-top = 文件开头的 `{ $key }` 看起来是密钥
settings-wrong-type = `{ $key }` 必须是{ $wanted ->
    [number] 整数
    [truth] {" "}true 或 false
    [duration] 带单位的文本
    [list] 列表
    [tables] 由表组成的列表
    [table] 表
   *[text] 文本
}，而不是{ $found ->
    [number] 数字
    [truth] {" "}true 或 false
    [time] 日期或时间
    [list] 列表
    [table] 表
   *[text] 文本
}
settings-empty = `{ $key }` 为空
settings-out-of-range = `{ $key }` 超出范围
settings-duration-too-long = `{ $key }` 过长
settings-no-unit = `{ $key }` 没有单位
settings-no-duration = `{ $key }` 不是时长
settings-zero = `{ $key }` 必须大于零
settings-unknown-word = `{ $key }` 不能是 `{ $word }`
settings-some-word = `{ $key }` 的值无法识别
settings-quiet-hours-without = 免打扰时段缺少 `{ $key }`
settings-no-time = `{ $key }` 不是时刻
settings-same-times = `to` 与 `from` 相同
settings-second-id = 有两个频道的 ID 都是 `{ $id }`
settings-same-user = 网址和凭据与频道 `{ $id }` 相同：它们会互相顶替
settings-same-client = 与频道 `{ $id }` 的 `url` 和 `client_id` 相同：两者会互相顶替
settings-no-url = 频道缺少 `url`
settings-url-no-scheme = `url` 没有以协议开头
settings-url-wrong = `{ $key }` 不是网址：{ $why }
settings-url-not-websocket = `url` 不是 WebSocket 地址
settings-url-no-host = `url` 没有主机名
settings-url-port = `url` 的端口为 0，无法连接
settings-url-user = `{ $key }` 中含有用户名或密码
settings-url-mqtt-path = MQTT 服务器的地址到端口为止
settings-url-mqtt = `url` 是 MQTT 服务器的地址，其他类型的频道无法与它通信
settings-url-not-web = 这不是网站服务器的地址
settings-url-fragment = `url` 含有片段标识符，服务器永远看不到它
settings-url-plaintext = `url` 会将所有内容不加密地发送到 { $host }
settings-url-secret = `url` 的查询参数中似乎含有密钥
settings-no-id-by-name = 无法由此名称生成 ID
settings-no-id-by-host = 无法由此主机名生成 ID
settings-id = `id` 含有其他字符或过长
settings-username = `username` 含有冒号或控制字符，无法用于 Basic 认证
settings-no-username = `auth` 为 basic，但没有 `username`
settings-auth-name = `{ $key }` 不是 HTTP 可用的名称
settings-auth-names = `auth` 必须恰好有一个名称
settings-beside = `{ $first }` 与 `{ $second }` 同时出现
settings-auth-none = `auth` 为 none，因此 `{ $key }` 没有用处
settings-token-env = `token_env` 不是变量名
settings-header-name = 这不是请求头的名称
settings-header-secret = 请求头 `{ $name }` 通常含有密钥
settings-header-credential = 请求头 `{ $name }` 中似乎含有密钥
settings-header-ours = `{ $name }` 由连接自行设置
settings-header-text = 这无法放在请求头中发送
settings-proxy = `proxy` 不是代理的地址
settings-client-key = 有 `client_key` 而没有 `client_cert`
settings-path = `{ $key }` 不是路径
settings-no-home = 没有可代替 `~` 的主目录
settings-heartbeat-rare = `interval`（{ $interval }）大于 `proxy_timeout`（{ $timeout }）的三分之二
settings-short = `{ $key }`（{ $value }）过短
settings-long = `{ $key }`（{ $value }）过长
settings-heartbeat-long = `text` 有 { $bytes } 字节，过长
settings-cap = `cap`（{ $cap }）小于 `first`（{ $first }）
settings-mapping = `{ $key }` 既不是 JSON Pointer，也不是模板
settings-template = `{ $key }` 的模板有错误：{ $why }
settings-when = `when` 有错误：{ $why }
settings-ignore-when = `ignore_when` 有错误：{ $why }
settings-key-of-kind = `{ $key }` 仅适用于 { $kind } 类型的频道
settings-key-useless = `{ $key }` 对 { $kind } 类型的频道没有作用
settings-key-of-http = `{ $key }` 随 HTTP 发送，而 mqtt:// 和 mqtts:// 地址不使用 HTTP
settings-key-of-session = `{ $key }` 仅适用于 `auth = "session"` 的频道
settings-session-kind = `auth` 为 session，而 ntfy 和 Gotify 不支持它
settings-mqtt-auth = MQTT 服务器只接受用户名和密码，因此 mqtt:// 和 mqtts:// 地址的 `auth` 只能是 none、bearer 或 basic
settings-session-said = 对话会发送密钥，因此 `auth` 不能为 session
settings-session-site = `{ $key }` 指向与 `url` 不同的网站，会话的 cookie 会发送到那里
settings-sign-in = `sign_in` 必须是网页地址
settings-keep-session = `keep_session` 超出范围
settings-ntfy-url = ntfy 服务器的网址没有路径，也没有查询参数
settings-base-query = Gotify 服务器的网址没有查询参数
settings-no-topics = ntfy 频道缺少 `topics`
settings-no-filters = MQTT 频道缺少 `topics`
settings-no-filter = 主题缺少 `filter`
settings-filter-long = 此主题过滤器超过 65,535 字节
settings-filter-control = 此主题过滤器含有控制字符
settings-filter-hash = 主题过滤器中的 `#` 必须在末尾，且单独占一级
settings-filter-plus = 主题过滤器中的 `+` 必须单独占一级
settings-filter-shared = 服务器会把此主题过滤器的消息分给所有写了它的客户端，每个客户端只能收到一部分
settings-client-id = `client_id` 含有控制字符或过长
settings-topic = 这不是主题名称
settings-topic-twice = 主题 { $topic } 出现了两次
settings-topics-count = 主题数量为 { NUMBER($count) }
settings-no-dialogue = 对话既没有 `preset`，也没有 `[channel.dialogue]`
settings-set-unknown = 预设 { $preset } 没有名为 `{ $name }` 的值
settings-set-missing = 预设 { $preset } 需要 `{ $name }`
settings-set-name = `{ $name }` 不能作为值的名称
settings-set-secret = `{ $name }` 像是密钥，密钥不应写在此文件中
settings-subprotocol = 这不是子协议名称
settings-beat = 心跳需要 `text` 和 `interval`
settings-on-without-when = 对话规则缺少 `when`
settings-on-nothing = 对话规则没有任何结果
settings-on-ignore = `ignore` 不能与同一规则的其他结果并用
settings-on-close = 关于关闭代码的规则只能拒绝、接管或忽略
settings-post = `post` 需要地址和表单
settings-post-url = `post` 的地址只能使用 `set` 中的值，不能使用服务器发送的内容
settings-pointer = `{ $key }` 不是 JSON Pointer
settings-secret-said = 对话会发送密钥，因此 `auth` 不能为 none
settings-secret-unsaid = `auth` 为 dialogue，但对话的文本都没有用到密钥

settings-mend-utf8 = 请将其保存为 UTF-8
settings-mend-twice = 请只保留其中一个，每个表也只保留一个表头
settings-mend-toml = 文本请加引号，每行写一个 `key = value`
settings-mend-not-a-file = 请将设置写入此名称的文件
settings-mend-too-large = 这是设置文件吗？请删除不属于设置的内容
settings-mend-permission = 请使其归您所有且可读：chown、chmod 600
settings-mend-disk = 请检查该文件及其磁盘是否正常
settings-mend-near = 您是想写 `{ $word }` 吗？
settings-mend-known = 此处可用：{ $known }
settings-mend-secret = 请勿写入文件：用 token_command、token_file 或 token_env 指定命令、文件或变量
settings-mend-secret-query = 请勿写入文件：用 token_command、token_file 或 token_env 指定命令、文件或变量，并用 { $auth } 指定参数名
settings-mend-secret-header = 请勿写入文件：用 token_command、token_file 或 token_env 指定命令、文件或变量，并用 `auth` 指定请求头
settings-mend-quotes = 请加上引号
settings-mend-fill = 请填写，或删除此行
settings-mend-truth = 请写 true 或 false，不加引号
settings-mend-range = 请写 { $least } 到 { $most } 之间的整数
settings-mend-write = 请写 { $text }
settings-mend-write-as = 请写成 { $text }
settings-mend-example = 例如可写 { $text }
settings-mend-durations = 例如可写 "1500ms"、"60s"、"5m" 或 "2h"
settings-mend-at-most = 最多可写 { $text }
settings-mend-or-more = 请写 { $text } 或更大
settings-mend-or-less = 请写 { $text } 或更小
settings-mend-one-of = 请写以下之一：{ $known }
settings-mend-brackets = 请放入方括号：[ … ]
settings-mend-header = 请将其表头写在双方括号中：`[[…]]`
settings-mend-keys-under = 请将其键写在 { $table } 下
settings-mend-whole-day = 全天请写 "00:00" 到 "23:59"
settings-mend-own-id = 请为每个频道指定各自的 `id`
settings-mend-same-user = 请删除其中一个，或为两者分别指定 token_command、token_file 或 token_env
settings-mend-same-client = 请删除其中一个频道，或为每个频道设置不同的 `client_id`
settings-mend-add = 请为此频道添加 { $text }
settings-mend-url = 请添加 url = "wss://…"
settings-mend-add-id = 请为此频道添加 `id`
settings-mend-add-when = 请添加 `when`
settings-mend-kind = 请设置 { $text }，或删除此键
settings-mend-topics = 请把主机名之后的部分写成 { $text }
settings-mend-topic = 请使用 1 到 { NUMBER($most) } 个字母、数字、- 和 _（不能是 ntfy 自己的页面）
settings-mend-topics-count = 请写 1 到 { NUMBER($most) } 个
settings-mend-client-id = 请最多使用 { NUMBER($most) } 字节，或删除此键
settings-mend-remove-query = 请删除 ? 及其后的内容
settings-mend-set-name = 请使用字母、数字和 _，不能是 json、raw、close、reason、secret、username、last、n
settings-mend-secret-said = 请将其存放在频道密钥处，并在文本中写 { $text }
settings-mend-beat = 请在 [channel.dialogue] 中设置 { $text }
settings-mend-ignore = 如果确实如此，请添加 ignore = true
settings-mend-remove-ignore = 请删除其中之一
settings-mend-post-url = 请写出完整地址，或使用 `set` 中的值
settings-mend-on-close = 请设置 refused、replaced 或 ignore
settings-mend-said = 请删除 auth，或从文本中去掉密钥
settings-mend-unsaid = 请在文本中写 { $text }，或改用其他 auth
settings-mend-port = 请写服务器的端口，或不写
settings-mend-mqtt-path = 请删除端口之后的内容，并在 `topics` 中写明要接收的主题
settings-mend-fragment = 请删除 # 及其后的内容
settings-mend-plaintext = 请写 { $scheme }://，或为此频道添加 allow_plaintext = true
settings-mend-id = 最多可用 { $most } 个字母、数字、`-`、`_` 和 `.`
settings-mend-username = 请更正，或选择其他 `auth`
settings-mend-auth-name = 请使用字母、数字和 `-`；密钥本身存放在别处
settings-mend-auth-names = 请写 header、query、cookie 之一
settings-mend-keep-one = 请只保留其中一个
settings-mend-auth-none = 请删除 `{ $key }`，或选择其他 `auth`
settings-mend-token-env = 请只写变量名，不带 `$` 和值
settings-mend-header-name = 请使用字母、数字和 `-`
settings-mend-remove = 请删除
settings-mend-header-text = 请使用单行可打印的 ASCII 字符
settings-mend-proxy = 请写成 "socks5://host:1080" 或 "http://host:3128"
settings-mend-proxy-user = 请在此处删除，改用环境变量 HTTPS_PROXY 或 ALL_PROXY
settings-mend-nul = 请删除 NUL 字符
settings-mend-remove-control = 请删除控制字符
settings-mend-whole-path = 请写完整路径
settings-mend-shorten = 请缩短
settings-mend-mapping = 请写成 "/payload/subject" 或 { $template }

settings-file-unreadable = 无法读取 { $key } { $file }：{ $why }；请更正其路径或权限
settings-cert-unusable = 无法使用 client_cert { $file }：{ $why }

settings-edit-first = 请先手动修正设置文件：{ $why }
settings-edit-write-failed = 无法写入设置文件 { $file }：{ $why }
settings-edit-write-changed = 无法写入设置文件 { $file }：它刚刚被其他程序修改
settings-login-missing = 登录时启动不起作用：其启动项已被删除。请在此关闭后重新打开，以再次创建。
settings-login-off = 登录时启动不起作用：桌面自身的设置将其关闭，见 { $file }。请在桌面设置中将其打开。
settings-edit-read-only = 无法写入设置文件 { $file }：它是只读的；可用 `chmod u+w` 使其可写
settings-edit-no-channel = 这些值不能构成频道
settings-edit-changed = 它在此期间已在设置文件中被修改；请重新查看后再保存
settings-edit-key-changed = `{ $key }` 在此期间已在设置文件中被修改；请重新查看后再保存
settings-edit-channel-first = 请先修正频道 { $name }：{ $why }
settings-edit-unknown = 设置中没有 ID 为 `{ $id }` 的频道
settings-edit-value = `{ $key }` 不能设为该值：{ $why }
settings-oauth-needs = [channel.oauth] 缺少 `{ $key }`
settings-oauth-issuer = 这不是提供方的地址；它以 https 开头（仅本机可用 http），且不含 `?`
settings-oauth-scope = 一个 scope 是一个词，不含空格或引号；多个请写成列表
