### Why something can't be read, written or had: what the system and the libraries say, in words of ours.

# TOML.
toml-quotes = 此处的文本没有加引号
toml-open-text = 从此处开始的文本缺少结束引号
toml-open-bracket = 有括号未闭合
toml-no-value = 有键没有值
toml-no-key = 缺少键，或键中有不允许的字符
toml-no-equals = 键与值之间应有且仅有一个 `=`
toml-comma = 缺少逗号，或多了一个逗号
toml-escape = `\` 之后不是有效的转义；在单引号文本中它就是自身
toml-number = 这不是可读取的数字
toml-line-end = 某行的结尾不是 TOML 所认识的
toml-control = 此处有控制字符
toml-behind = 此行应当结束之处还有内容
toml-again = 已有值的项不能再加键
toml-deep = 表与列表嵌套过深
toml-other = 从此处起无法读取

# Addresses.
url-empty-host = 缺少主机
url-name = 主机名无效
url-port = 端口不是 65535 以内的数字
url-address = 主机像是 IP 地址，却不是有效的地址
url-no-scheme = 开头没有协议
url-too-long = 过长
url-other = 无法读取
address-syntax = 这不是 URL：{ $why }；{ $mend }
address-scheme = { $scheme }:// 不能承载频道；请写 wss://（本机可用 ws://）
address-plaintext = 到 { $host } 的连接将不加密；请写 { $scheme }://，或在设置中写明该频道并加上 allow_plaintext = true
proxy-syntax = 代理的地址不是 URL：{ $why }；{ $mend }
proxy-scheme = { $scheme }:// 不是已知的代理类型；请写 http://、socks5:// 或 socks5h://
proxy-no-host = 代理的地址没有主机；{ $mend }
proxy-user = 代理的用户名或密码过长；各至多 255 字节

# Client certificates.
cert-none = 其中没有可读取的证书；需要 PEM 格式，`-----BEGIN CERTIFICATE-----`
cert-no-key = 其中没有可读取的私钥；需要不带密码的 PEM 格式，`-----BEGIN PRIVATE KEY-----`
cert-unusable = 证书与密钥不能一起使用；密钥属于另一张证书，或类型未知

# Templates and conditions.
expression-unfinished = 有内容开了头而没有结束
expression-unexpected = { $piece } 不能出现在此处
expression-misplaced = 此内容不能出现在此处
expression-unknown = 此处没有这个名称
expression-other = 无法读取

# Values in the window.
value-not-channels = 频道须逐个添加、更改和移除
value-list = 它是列表
value-tables = 它的元素是表
value-null = null 表示没有值
value-too-large = 数字过大

# The inbox's file.
inbox-newer = 它由更新版本的 Tidings 写成（格式 { $found }；本版本至多认识 { $known }）
inbox-damaged = 它已损坏
inbox-foreign = 它不是收件箱
inbox-busy = 另一个程序占用着它
inbox-disk = 磁盘读写失败
inbox-folder = 无法创建其文件夹（{ $why }）
inbox-forbidden = 不允许写入（{ $why }）
inbox-stuck = 它已损坏，且无法移到一旁（{ $why }）

# The session bus and what is asked over it.
bus-none = 没有会话总线
bus-nobody = 总线上没有提供此服务的程序
bus-silent = 没有及时应答
bus-refused = 对方拒绝了
bus-broken = 连接已断开
bus-odd = 无法理解其应答
socket-ended = 连接已被结束
keyring-dismissed = 提示被关闭
keyring-gone = 所要的内容已不存在
