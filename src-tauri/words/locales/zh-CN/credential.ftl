### Why a channel's secret could not be had, and how to mend it.

credential-env = token_env：变量 { $name } 未设置或为空；请在启动 Tidings 的环境中设置它
credential-file = token_file：无法读取 { $file }：{ $why }；请更正其路径或权限
credential-not-a-file = 不是普通文件
credential-start = 无法运行 token_command：{ $why }；请检查 `sh` 和系统是否正常
credential-timed-out = token_command 运行超过 { $limit }，已被终止；请手动运行，看看它在等待什么
credential-failed = token_command 运行失败 ({ $status })；请手动运行以查明原因
credential-failed-saying = token_command 运行失败 ({ $status })：{ $complaint }；请手动运行以查明原因
credential-empty = { $source ->
    [keyring] 密钥环
    [field] 输入框
    [file] 文件
   *[key] { $source }
} 提供的密钥为空；请确认其中存有密钥
credential-too-large = { $source ->
    [keyring] 密钥环
    [field] 输入框
    [file] 文件
   *[key] { $source }
} 提供的内容超过 64 KiB；其中只能有密钥本身
credential-unusable = { $source ->
    [keyring] 密钥环
    [field] 输入框
    [file] 文件
   *[key] { $source }
} 提供的内容不能用作密钥：含有多行、控制字符或不可见字符，或不是 UTF-8；必须是一行文本
credential-no-cookies = { $source ->
    [keyring] 密钥环
    [field] 输入框
    [file] 文件
   *[key] { $source }
}没有给出 cookie；会话需要完整的 Cookie 请求头（`a=1; b=2`）或 JSON 格式的 cookie 列表
credential-not-signed-in = 您尚未登录 { $site }。请通过 Tidings 登录

keyring-absent = 没有可用的密钥环（{ $why }）；请启动一个（GNOME Keyring、KWallet、KeePassXC），或在设置中指定 token_command、token_file 或 token_env
keyring-locked = 密钥环已锁定；请将其解锁（登录桌面时通常会自动解锁）
keyring-silent = 密钥环在 { $limit } 内没有应答；请检查它是否正常，或在设置中指定 token_command、token_file 或 token_env
keyring-no-collection = 密钥环没有默认集合；请在其管理程序（如“密码和密钥”）中新建一个并设为默认
keyring-failed = 密钥环拒绝了请求：{ $why }
# How a command ended.
credential-exit-code = 退出码 { $code }
credential-signal = 信号 { $signal }
