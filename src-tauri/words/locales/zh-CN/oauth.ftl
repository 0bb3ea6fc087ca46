### 通过 OAuth 登录：为何不能登录，以及之后浏览器所显示的内容。

oauth-away = 无法联系登录服务 { $host }：{ $cause }
oauth-no-provider = { $host } 处应答的不是 OAuth 提供方，或与 `issuer` 所述不同；请更正 [channel.oauth] 中的 `issuer`
oauth-not-offered = { $host } 不提供此登录方式；请询问其管理员
oauth-refused = { $host } 拒绝：{ $said }；请确认它认识此 `client_id` 和这些 `scopes`
oauth-sign-in = 您在 { $host } 的登录已失效或从未登录：请登录
oauth-no-port = 浏览器无法返回本机：`redirect_port` 的端口已被占用；请另选一个，或将其删除
oauth-declined = 登录被拒绝
oauth-too-late = 登录耗时过长：请重新开始
oauth-page-done = 您已登录 Tidings，可以关闭此页面。
oauth-page-refused = 您未登录：服务拒绝了请求。详情请见 Tidings。
oauth-page-nothing = 这里什么也没有。
