### Why a channel is not connected. The English ones are also the log's, where tidings-channel says them.

# A close code, and what it means: words of ours, or the reason that the server gave.
cause-close = { $meaning } ({ $code })
# The same with both.
cause-close-said = { $meaning }：{ $reason } ({ $code })
cause-close-1000 = 服务器关闭了连接
cause-close-1001 = 服务器即将离线
cause-close-1002 = 协议错误
cause-close-1003 = 不接受此类消息
cause-close-1005 = 服务器关闭了连接，未给出代码
cause-close-1006 = 连接中断
cause-close-1007 = 文本无效
cause-close-1008 = 服务器策略拒绝
cause-close-1009 = 消息过大
cause-close-1010 = 缺少扩展
cause-close-1011 = 服务器错误
cause-close-1012 = 服务器正在重启
cause-close-1013 = 服务器繁忙
cause-close-1014 = 网关错误
cause-close-1015 = 加密失败
cause-close-3000 = 需要登录
cause-close-3003 = 没有权限
cause-close-4500 = 已被其他标签页或设备接管
cause-lost = 连接中断（{ $detail }）
cause-silent = { NUMBER($seconds) } 秒没有应答
cause-write-stalled = 发送时连接停滞
cause-invalid-text = 服务器发送了无效文本 ({ $code })
cause-too-big = 服务器发送的消息过大 ({ $code })
cause-protocol = 服务器违反了协议：{ $detail } ({ $code })
cause-lookup = 找不到服务器域名（{ $detail }）
cause-unreachable = 无法访问服务器（{ $detail }）
cause-timed-out-credential = 读取凭据超时
cause-timed-out-lookup = 域名解析超时
cause-timed-out-tcp = 建立连接超时
cause-timed-out-tls = TLS 握手超时
cause-timed-out-upgrade = WebSocket 协议升级超时
cause-tls = 加密失败（{ $detail }）
cause-clock = 本机时钟似乎不对：显示为 { $says }，而服务器证书从 { $begins } 起才有效
cause-certificate = 证书被拒绝（{ $detail }）
cause-wrong-name = 证书与域名不符（{ $detail }）
cause-proxy = 无法通过代理：{ $detail }
cause-wrong-address = 地址错误：该处没有内容 ({ $status })，或代理没有转发 `Upgrade`
cause-moved = 地址已移至 { $to } ({ $status })
cause-moved-elsewhere = 服务器重定向到了别处 ({ $status })：{ $to }
cause-hangs-up = 地址可能有误：服务器每次都不应答就断开
cause-sign-in-refused = 登录被拒绝 ({ $status })
cause-sign-in-proxy = 代理要求登录 ({ $status })
cause-sign-in-asked = 服务器要求登录 ({ $status })
cause-not-a-websocket = 此地址不是 WebSocket（{ $detail }）
cause-captive-portal = 此网络需要先登录
cause-local = 正在重新连接
cause-status-nothing = 此地址没有内容 ({ $status })，或代理没有转发 `Upgrade`
cause-status-no-upgrade = 服务器拒绝了请求 ({ $status })；可能是代理没有转发 `Upgrade`
cause-status-cannot = 此地址不是 WebSocket ({ $status })，或代理没有转发 `Upgrade`
cause-status-not-now = 服务器表示暂时不行 ({ $status })
cause-status-unavailable = 服务暂不可用 ({ $status })
cause-status-too-many = 请求过多 ({ $status })
cause-status-gateway = 代理后面的服务器不在线 ({ $status })
cause-status-busy = 服务器繁忙 ({ $status })
cause-status-redirect = 服务器重定向到了别处 ({ $status })
cause-status-refused = 服务器拒绝了请求 ({ $status })
cause-status-error = 服务器错误 ({ $status })
cause-status-other = 此地址不是 WebSocket ({ $status })
# Follows on a refused sign-in: what to do about it.
cause-mend-secret = { $cause }：可用 `tidings secret set { $channel }` 将密钥存入密钥环，或在设置中用 token_command、token_file 或 token_env 指定其他来源
# Follows on a sign-in that was refused with 403, which many servers say for everything.
cause-mend-forbidden = { $cause }：原因可能是密钥、网址的路径，或 `headers` 中缺少 `Origin`
