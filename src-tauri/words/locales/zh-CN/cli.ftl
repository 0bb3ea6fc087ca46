### What the command line prints for people, and the agent's refusals.

cli-status = { $channel }：{ $state ->
    [connected] 已连接
    [connecting] 正在连接
    [waiting] 等待重新连接
    [disconnected] 已断开
    [replaced] 已被接管
   *[needs_user] 需要您处理
}（自 { $time } 起）
cli-status-stage = { $line }（{ $stage }）
cli-status-retry = { $line }，将于 { $time } 重试
cli-status-cause = { $line }：{ $cause }
cli-status-idle = { $line }；空闲连接会在 { NUMBER($seconds) } 秒后被断开（可用 `tidings doctor --idle` 测量），因此每 { NUMBER($every) } 秒保持一次活动
cli-status-carried = { $line }；传输方式：{ $carrier }（{ $instead }）
cli-status-session-memory = { $line }；会话仅保存在内存中，Tidings 结束时失效
cli-status-session-life = { $line }；此网站会在约 { NUMBER($minutes) } 分钟没有页面请求后结束会话
cli-status-all-here = { $line }；错过的消息已全部到达
cli-status-gap = { $line }；{ $gap }
cli-status-unread = { $line }（{ $unread } 条未读）
cli-status-none = 设置文件中没有频道
cli-raised = Tidings 已在运行，正在显示其窗口。
cli-runs-already = Tidings 已在运行。
cli-nobody-concerned = 没有相关的频道。

cli-not-running = Tidings 未运行；可用 `tidings` 启动
cli-silent = 运行中的 Tidings 没有应答；请稍候，或将其结束后重新启动
cli-broken = 与运行中的 Tidings 的连接已中断：{ $why }
cli-other-version = 运行中的 Tidings 是另一个版本 ({ $version })；请退出后重新启动
cli-malformed = 无法理解运行中的 Tidings 的应答

cli-pause-no-time = { $typed } 不是时刻；例如可写 `tidings pause until 08:00`
cli-pause-no-duration = { $typed } 不是时长；例如可写 `tidings pause 1h`、30m 或 `off`
cli-pause-usage = 请写 `tidings pause 1h`、`tidings pause until 08:00` 或 `tidings pause off`

cli-no-channel = { $file } 中没有频道；请在其中添加一个，或使用 --url
cli-several-channels = { $file } 中有多个频道；请用 --channel 指定其一：{ $known }
cli-unknown-channel = { $file } 中没有名为 { $name } 的频道；现有：{ $known }
cli-held = 频道 { $name } 正由运行中的 Tidings 使用，再次连接会将其接管；`tidings tail` 可输出其消息
cli-listen-broker = 从 MQTT 服务器接收哪些主题需写在频道的设置中：请添加频道，并用 --channel 指定
cli-listen-state = { $now } { $channel } { $state ->
    [connected] 已连接
    [connecting] 正在连接
    [waiting] 等待重新连接
    [disconnected] 已断开
    [replaced] 已被接管
   *[needs_user] 需要您处理
}
cli-listen-until = { $line }，将于 { $time } 重试

cli-secret-elsewhere = 频道 { $name } 在设置中有 { $key }；要使用密钥环，请先将其删除
cli-secret-unreadable = 无法读取密钥：{ $why }
cli-secret-prompt = { $channel } 的密钥：
cli-secret-kept = 密钥已存入密钥环
cli-secret-exported = 密钥已写入 { $file }，只有您能读取：持有它的人在服务器看来就是您。用完请删除
cli-secret-export-where = 密钥不会显示在屏幕上：请指定一个文件，或交给其他程序（`| …`）
cli-sign-in = 请在打开的页面中登录
cli-signed-out = 已退出登录，并已断开连接
cli-secret-removed = { $count ->
    [1] 密钥已从密钥环中删除
   *[other] 密钥已从密钥环中删除（共 { $count } 个条目）
}
cli-secret-none = 密钥环中没有此频道的密钥
cli-secret-not-told = 未能通知运行中的 Tidings（{ $told }）；它会在下次连接时得知

cli-state-folder = 无法创建状态文件夹 { $folder }：{ $why }；请确认其上级文件夹属于您且可写，或在 XDG_STATE_HOME 中指定另一个
cli-lock-file = 无法使用锁文件 { $file }：{ $why }；请确认它是属于您的可写文件
cli-not-written = 无法写入 { $file }：{ $why }
cli-not-read = 无法读取 { $file }：{ $why }
cli-answer = 无法写出结果：{ $why }

refused-unknown-channel = 没有名为 { $name } 的频道；现有：{ $known }
refused-unknown-address = 没有使用此地址的频道；现有：{ $known }
refused-unknown-id = 收件箱中没有 ID 为 { $id } 的消息
refused-no-session = { $name } 不通过网页登录：请为它设置 auth = "session"
refused-no-code = { $name } 没有 [channel.oauth]：它以其他方式登录
refused-session-elsewhere = { $name } 在设置中已有 { $key }；如需在此登录，请先删除它
refused-no-cookies = 该网页的 cookie 都不属于 { $host }：请将 `sign_in` 设为该网站的页面
refused-no-link = 此消息没有链接，或已不存在
refused-no-action = 此消息没有这个按钮，或已不存在
# A button of a message; the cause is in words of ours.
refused-not-sent = { $host } 没有接受所发送的内容：{ $cause }
refused-window-open = 窗口已经打开
refused-ending = Tidings 正在退出
refused-unknown-channel-id = 没有 ID 为 { $id } 的频道
refused-no-sample = 此频道尚未收到消息：请粘贴一条
refused-not-a-message = 这不是消息
# A sample that is no text.
preview-bytes = { $count } 字节
cli-sign-in-code = 请在 { $minutes } 分钟内打开 { $page } 并输入 { $code }。
cli-sign-in-code-or-page = 请在 { $minutes } 分钟内打开 { $page } 并输入 { $code }；或打开 { $whole }
cli-signed-in = 已登录。
