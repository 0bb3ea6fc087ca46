### 与服务器和网络无关的断开原因。

health-quit = Tidings 已退出
health-gone = Tidings 或电脑意外停止
health-disconnected = 由你断开
