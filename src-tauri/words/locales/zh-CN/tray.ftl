### The tray's menu and tooltip, beside what shared.ftl has of a channel's state.

# Nothing is wrong: at the start, and when the user asked.
state-about-to-connect = 将于 { $time } 连接
# A channel's line where there are several: its name and its state.
channel-line = { $channel }：{ $state }

stage-credential = 读取凭据
stage-lookup = 域名解析
stage-tcp = TCP
stage-tls = TLS
stage-upgrade = 协议升级
stage-answer = 应答

# The tooltip's first line: what the icon says, in words. Some hosts show no more of it. Some read it as markup and some don't:
# none of < > & may be in it.
tray-title = Tidings：{ $state }
tray-title-unread = Tidings：{ $state }，有未读消息
tray-title-connected = 已连接
tray-title-working = 正在连接
tray-title-off = 已断开
tray-title-replaced = 已被其他标签页或设备接管
tray-title-attention = 需要您处理

tray-no-channel = 设置文件中还没有频道
tray-no-notice = 没有提示
tray-notice-and-more = { $notice }（另有 { $more } 条）
tray-pause = 暂停通知
tray-paused = 通知已暂停
tray-paused-until = 通知已暂停至 { $time }
tray-resume = 立即恢复
tray-pause-minutes = { $minutes } 分钟
tray-pause-hours = { $hours } 小时
tray-pause-morning = 到明天 08:00
tray-pause-on = 直到手动恢复
tray-recent = 最近消息
tray-open = 打开 Tidings
tray-quit = 退出

# How a date without its year is written, for strftime: 2月28日.
date-format = %-m月%-d日
