### What only the window's page says.

channels = 频道
messages = 消息

needs-you = 需要您处理
state-unknown = Tidings 后台未运行，状态未知
channel-news = { $name }：{ $state }
paused-until = 通知已暂停至 { $time }，消息仍会显示在这里。
paused = 通知已暂停，直到您恢复。消息仍会显示在这里。


gone-title = Tidings 后台未运行。
gone-text = 正在持续查找，后台恢复后此页面会自动继续。
start = 启动
version-title = Tidings 后台与此窗口的版本不同。
version-text = 重新启动后台即可解决，之后所有频道会重新连接。
restart = 重新启动
failed-title = 操作失败。
dismiss = 知道了
looking = 正在查找 Tidings 后台…

search = 搜索消息
search-hint = 搜索
found = { NUMBER($count) } 条消息
no-messages-title = 还没有消息
no-messages-text = 频道发来的消息会按时间倒序显示在这里，同时以桌面通知的形式弹出。
no-messages-no-link = 当前没有已连接的频道。请先连接一个频道，以便接收消息。
no-hits-title = 未找到消息
no-hits-text = 没有消息的标题或正文包含“{ $searched }”。
load-failed-title = 无法加载消息
try-again = 重试

unread = 未读
untitled = 无标题
priority-lowest = 最低
priority-low = 低
priority-normal = 普通
priority-high = 高
priority-urgent = 紧急
open-link = 打开链接
topic = 主题
tags = 标签
files = 文件
# Beside a file's name: its size, and when its server drops it.
file-until = 保留至 { $time }
# Asked before a button of a message sends something; the host stands there as it is.
ask-send = 要向 { $host } 发送 { $method } 请求吗？
send = 发送
sent = 已发送
cancel-send = 不发送
title = 标题
body = 正文
no-body = 此消息没有正文。
received-at = 接收时间
channel = 频道
id = ID
priority-label = 优先级
link = 链接
raw = 服务器原文
raw-bytes = 服务器原文（二进制，base64 编码）
cut = 仅显示前 { NUMBER($limit) } 个字符，复制时包含全部内容。
copy-body = 复制正文
copy-raw = 复制原文
copied = 已复制
copy-failed = 桌面环境不允许 Tidings 复制。请选中文本后按 Ctrl+C 复制。

copy-diagnostics = 复制诊断信息
diagnostics-title = 诊断信息
diagnostics-hint = 桌面环境不允许自动复制。请按 Ctrl+C 复制此文本。
close = 关闭
version = Tidings { $version }

## The pages

pages = 页面
inbox = 收件箱
health = 健康状况
settings = 设置
unread-count = { NUMBER($count) } 条未读
add = 添加
save = 保存
saved = 已保存
discard = 放弃更改
cancel = 取消
remove = 移除
edit = 编辑
undo = 撤销
demo = 演示

## The inbox

mark-all-read = 全部标为已读
filter = 筛选
all-channels = 全部频道
only-unread = 仅未读
chip = { $name }：{ $state }，{ NUMBER($unread) } 条未读
newer-messages = 较新的消息
message-deleted = 消息已删除
delete-message = 删除
message-gone = 此消息已不存在。
found-more = 超过 { NUMBER($count) } 条消息
all-read = 所有消息均已读。
none-of-channel = 此频道还没有消息。
clear-filter = 显示全部消息
pause = 暂停通知
pause-half-hour = 30 分钟
pause-hour = 1 小时
pause-tomorrow = 到明天 08:00
pause-forever = 直到我恢复
resume = 恢复

## Before there is a channel

welcome-title = 欢迎使用 Tidings
welcome-text = 无需打开浏览器标签页，即可在桌面上收到网页应用的消息。您的消息来自哪里？
first-url = 频道地址
connect-first = 连接
url-missing = 请输入地址，例如 wss://shop.example/ws/user-channel、ntfy.sh/alerts 或 https://push.example/。
next-connect = Tidings 会建立连接并保持在线，即使电脑休眠或服务器重启也会自动恢复。
next-sign-in = 如果服务器需要令牌，会在这里请您输入；令牌保存在系统密钥环中。
next-arrive = 收到的消息会在桌面弹出，并保存在收件箱中。
or = 或
try-demo = 试用演示频道
try-demo-text = 在本机启动一个小型服务器并发送几条消息，不会有任何数据离开您的电脑。
end-demo = 结束演示

## The channels and their settings

add-channel = 添加频道
open-settings = 打开设置
command-of = { $command }：{ $name }
remove-channel = 移除频道
remove-title = 要移除此频道吗？
remove-text = 频道将断开连接，其令牌会从密钥环中移除，消息仍保留在收件箱中。
channel-removed = 频道已移除
channel-added = 频道已添加
no-such-channel = 没有此频道
no-such-channel-text = 它可能已在设置文件中被移除或改名。
demo-settings = 演示频道没有设置
demo-settings-text = 它会随 Tidings 一起结束，也不会写入文件。准备好后请添加您自己的频道。
settings-failed = 无法读取设置
file-wrong-title = 设置文件有错误
file-wrong = 请在编辑器中修正 { $file }。在此之前，最后一次有效的设置继续生效，这里无法更改。
changed-elsewhere = 设置文件已在别处更改。您输入的内容仍在这里，请检查后再次保存。
changed-elsewhere-reloaded = 设置文件已在别处更改，现已重新读取。
basics = 频道
url = 地址
name = 名称
name-hint = 显示在托盘和弹出通知中；留空则使用服务器名称。
enabled = 启动 Tidings 时连接
enabled-hint = 否则等待您手动连接。

## How a channel signs in

sign-in = 登录
sign-in-text = 服务器如何确认您的身份。密钥绝不会写入设置文件。
auth = 方式
auth-bearer = Bearer 令牌
auth-basic = 用户名和密码
auth-header = 自定义请求头中的令牌
auth-query = 地址参数中的令牌
auth-cookie = Cookie 中的令牌
auth-none = 无
auth-name = 请求头、参数或 Cookie 的名称
username = 用户名
source = 密钥来源
source-keyring = 系统密钥环
source-command = 由命令输出
source-file = 保存在文件中
source-env = 环境变量
token-command = 命令
token-command-hint = 输出的第一行即为密钥。
token-file = 文件
token-file-hint = 请确保只有您可以读取。
token-env = 变量
token-env-hint = 变量名，不含 $。
secret = 令牌或密码
secret-hint = 保存在系统密钥环中，之后不再显示。
secret-kept = 已保存
secret-kept-hint = 密钥环中已有一个，输入新的即可替换。
no-keyring = 此桌面没有密钥环，请改用命令、文件或环境变量。
remove-secret = 移除
secret-removed = 已从密钥环中移除

## Trying a channel

kind = 服务器类型
kind-hint = 与服务器交谈的方式。新频道可用“查看该处是什么”得知。
kind-recipe = 普通 WebSocket
kind-dialogue = WebSocket 上的其他协议
topics = 主题
topics-hint = 此 ntfy 服务器上的主题，每行一个。
preset = 协议
preset-hint = socket.io、stomp、graphql-transport-ws、action-cable、pusher、phoenix、signalr、centrifugo、mattermost 或 home-assistant。自己的对话在设置文件中编写。
# Finds out what is at the address that was typed.
discover = 查看该处是什么
discovering = 正在询问服务器（不发送密钥）……
discover-proposed = 表单已填好；添加频道之前不会连接。
test-connection = 测试连接
test-warning = 测试会短暂登录。如果您的其他标签页或设备正在使用此频道，服务器可能会将其断开。
testing = 正在测试…
test-good = 测试通过。
test-bad = 尚无法使用。
step-good = 成功
step-bad = 失败
step-noted = 提示
step-secret = 密钥
step-name = 域名解析
step-address = 地址
step-proxy = 代理
step-tcp = TCP 连接
step-tls = 加密（TLS）
step-upgrade = 登录与升级
step-ping = 首次 ping

## How messages are read

show = 弹出通知显示
show-full = 标题和正文
show-title = 仅标题
show-nothing = 仅提示有新消息
show-hint = 决定旁人能从屏幕上看到多少内容。
picture = 图片
picture-text = Tidings 不会下载图片。
format = 消息的格式
format-plain = 纯文本
format-markdown = Markdown
format-hint = 用于自身未注明格式的消息。
ignore = 忽略的文本
ignore-hint = 每行一条。完全相同的文本视为协议噪声，不会成为消息。常见的保活消息也会被识别。
ignore-empty = 也忽略空文本
ignore-when = 满足此条件时也忽略
ignore-when-hint = 针对消息的表达式，写法与规则相同。
use-default = 使用默认值
mapping = 消息各部分的位置
mapping-text = 仅在常见字段名不适用时需要。可填写 JSON Pointer（如 /payload/subject）或模板（如 {"{{"} payload.who {"}}"}）。
mapped-title = 标题
mapped-body = 正文
mapped-id = ID
mapped-time = 时间
mapped-priority = 优先级
mapped-url = 链接
mapped-icon = 图标
mapped-image = 图片
mapped-tag = 标签（替换相同标签的通知）
mapped-actions = 按钮
mapped-silent = 静音
mapped-expires = 过期时间
rules = 规则
rules-hint = 由第一条匹配的规则决定如何处理消息。
add-rule = 添加规则
rule-when = 条件
rule-then = 处理
rule-urgency = 紧急程度
rule-sound = 声音
then-default = 按消息本身
then-notify = 弹出通知
then-silent = 静音弹出
then-store = 仅存入收件箱
urgency-default = 按优先级
urgency-low = 低
urgency-normal = 普通
urgency-critical = 紧急
preview = 预览
sample = 示例消息
sample-hint = 留空则使用最近收到的消息。
sample-placeholder = 粘贴服务器发送的内容
sample-too-long = 示例过长：消息不会超过 1 MiB。
no-sample = 还没有收到消息，请粘贴示例以查看效果。
preview-popup = 弹出通知，并保存在收件箱中。
preview-no-popup = 保存在收件箱中，不弹出通知。
preview-ignored = 协议噪声，不会成为消息。

## The advanced settings of a channel

advanced = 高级
advanced-text = 代理、证书与时间参数。默认值适合绝大多数人。
heartbeat = 心跳
heartbeat-group-text = 时长需带单位：1500ms、60s、5m、1h。
heartbeat-text = 文本
heartbeat-on = 发送
heartbeat-text-hint = 防止代理断开静默的连接。
heartbeat-interval = 静默多久后发送
heartbeat-interval-hint = 最多为代理超时的三分之二。
proxy-timeout = 代理超时
proxy-timeout-hint = 即服务器的 proxy_read_timeout。
liveness = 存活检测
ping-after = 静默多久后 ping
ping-after-hint = 0s 表示不发送 ping。
ping-deadline = 多久无应答视为断开
ping-deadline-hint = 之后 Tidings 会重新连接。
backoff = 重新连接
backoff-first = 首次等待上限
backoff-first-hint = 过短会冲击正在重启的服务器。
backoff-cap = 后续等待上限
backoff-cap-hint = 两次尝试之间的最长等待。
taking-over = 其他标签页和设备
quiet-close-codes = 表示“已被接管”的关闭代码
quiet-close-codes-hint = 每行一个。收到后 Tidings 保持安静。
take-back-after = 多久后重新接管
take-back-after-hint = never，或时长如 30m。
resume-parameter = 补收消息的参数
resume-hint = 若服务器支持：重连时携带最后一条消息的 ID。
way-there = 连接方式
headers = 请求头
headers-hint = 连接时一并发送。请勿包含密钥，密钥请填在“登录”中。
add-header = 添加请求头
header-name = 名称
header-value = 值
proxy = 代理
proxy-hint = 留空则使用系统代理。
ca-file = 附加的证书颁发机构
ca-file-hint = 除系统证书外，还信任此 PEM 文件。
client-cert = 客户端证书
client-cert-hint = 包含证书链的 PEM 文件；如未在下方填写，也应包含私钥。
client-key = 私钥
client-key-hint = 仅当私钥在单独文件中时填写。
allow-plaintext = 允许未加密连接
allow-plaintext-hint = 以 ws:// 连接其他电脑时，途中任何人都能读取内容。
channel-id = ID
channel-id-hint = 名称改变时保持不变；留空则由名称生成。

## The settings that are no channel’s

general = 通用
language = 语言
language-auto = 跟随系统
theme = 外观
theme-auto = 跟随系统
theme-light = 浅色
theme-dark = 深色
start-at-login = 登录时启动
start-at-login-hint = Tidings 会在托盘中待命。
notifications = 通知
burst = 同时弹出数量
burst-hint = 超出的部分合并为一条计数通知。
refill = 每隔多久再弹出一条
refill-hint = 例如 2s。
down-after = 频道断开多久后提醒
down-after-hint = 仅提醒一次，恢复后撤回。例如 10m。
quiet-hours = 免打扰时段
quiet-hours-hint = 期间不弹出通知，结束后汇总。可以跨越午夜。
add-quiet-hours = 添加免打扰时段
days = 星期
from = 从
to = 到
critical-breaks = 紧急消息仍然弹出
critical-breaks-hint = 暂停期间同样适用。
keep-days = 消息保留天数
keep-messages = 最多保留消息数
keep-hint = 最旧的消息先删除。
settings-file-title = 设置文件
settings-file-text = 以上所有设置也保存在此文件中。您可以在 Tidings 运行时手动编辑。
copy-path = 复制路径
quit-title = 退出 Tidings
quit-text = 退出 Tidings 并关闭此窗口。再次启动之前不会收到消息。
quit = 退出

## How a channel did

uptime = 在线时间
round-trip = 往返时间
silence-endured = 可容忍的空闲
kept-awake = 每 { NUMBER($count) } 秒保持一次活动
last-heard = 最近收到
last-heartbeat = 最近心跳
reconnects = 重连次数
last-close = 最近关闭
sent-again = 重复消息，已丢弃
noise = 协议噪声，已忽略
no-health = 没有可查看的频道
no-health-text = 添加频道后，这里会显示其过去 24 小时的状况。
health-failed = 无法获取此频道的状况
never-fell = 过去 24 小时内没有断开。
fell-back = { $time } 断开，原因：{ $cause }；{ $after }后恢复。
fell = { $time } 断开，原因：{ $cause }。
fell-said-back = { $time } 断开（{ $cause }），{ $after }后恢复。
fell-said = { $time } 断开（{ $cause }）。
because-closed = 服务器关闭了连接
because-away = 服务器离线
because-error = 服务器出错
because-restarted = 服务器重启
because-busy = 服务器过载
because-replaced = 被其他标签页或设备接管
because-lost = 连接中断
last-day = 过去 24 小时
as-table = 以文字显示
band-line = { $from } 至 { $to }：{ $state }
band-line-because = { $from } 至 { $to }：{ $state }（{ $cause }）
name-connected = 已连接
name-connecting = 正在连接
name-waiting = 正在重新连接
name-disconnected = 已断开
name-replaced = 已被接管
name-needs-user = 需要您处理
round-trips = 往返时间
round-trips-text = 最低 { NUMBER($least) } 毫秒，通常 { NUMBER($median) } 毫秒，最高 { NUMBER($most) } 毫秒
no-round-trips = 尚未测量。
links = 最近的连接
no-links = 还没有连接。
link-opened = 开始
link-lasted = 持续
link-ended = 结束原因
link-back = 恢复
link-up = 仍在连接
back-in = { $time }后恢复
milliseconds = { NUMBER($ms) } 毫秒
seconds = { NUMBER($count) } 秒
whole-minutes = { NUMBER($count) } 分钟
minutes = { NUMBER($minutes) } 分 { NUMBER($seconds) } 秒
hours = { NUMBER($hours) } 小时 { NUMBER($minutes) } 分
