### 演示频道及其第一条消息。

demo-name = 演示
demo-title = 欢迎使用 Tidings
demo-body = 这条消息来自本机上的一个小服务器。在终端里再推送一条：{ $command }

demo-missing = 演示服务器未安装：找不到 { $file }
demo-failed = 无法启动演示服务器：{ $why }
demo-silent = 演示服务器没有启动，请重试
