### 频道用户登录时所用的窗口，围在网页应用的页面之外。

view-title = 登录“{ $channel }”
view-title-at = { $host }：登录“{ $channel }”
view-again = 重新开始
view-done = 我已登录
view-plain = 未加密
view-connecting = 已登录。正在连接“{ $channel }”…
view-renewed = 登录页面打开得太久，网站已不会接受，因此重新打开了一页。
view-alone = 半小时内没有人登录。
view-endless = 该网站不停地从一个页面跳到下一个页面。
view-large = 页面太大：占用的内存超过登录所允许的上限。
view-unreachable = 无法加载 { $host } 的页面。
view-untrusted = { $host } 的证书不受信任，因此没有向它发送任何内容。
view-crashed = 页面出错了。
view-no-window = 页面想打开另一个窗口，这里不能打开。
view-no-download = 页面想保存文件，这里不会保存任何内容。
view-no-scheme = 页面想前往一个不是网页的地址。
view-no-cookie = 网站还没有让您登录：它没有为该频道设置 Cookie。
view-client-cert = 网站要求客户端证书，而这个页面没有可出示的证书，因此可能不会让您登录。那时请用您自己的程序登录：token_command。
view-not-taken = Tidings 无法接收这次登录。它还在运行吗？
