### What only the window's page says.

channels = 频道
messages = 消息

needs-you = 需要您处理
state-unknown = Tidings 后台未运行，状态未知
channel-news = { $name }：{ $state }
paused-until = 通知已暂停至 { $time }，消息仍会显示在这里。
paused = 通知已暂停，可从托盘菜单恢复。消息仍会显示在这里。

no-channel-title = 还没有频道
no-channel-text = 请将以下内容写入 { $file }，并换成您自己的名称、地址和令牌：
no-channel-then = 保存文件后频道会立即出现在这里，无需重新启动。
copy-example = 复制以上内容

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
found = 共 { $all } 条消息，找到 { NUMBER($found) } 条
no-messages-title = 还没有消息
no-messages-text = 频道发来的消息会按时间倒序显示在这里，同时以桌面通知的形式弹出。
no-messages-no-link = 当前没有已连接的频道。请先在上方连接一个频道，以便接收消息。
no-messages-no-channel = 添加频道后，消息会显示在这里。
no-hits-title = 未找到消息
no-hits-text = 最新的 { $all } 条消息中，标题、正文和频道均不包含“{ $searched }”。
clear-search = 清除搜索
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
