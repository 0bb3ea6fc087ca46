### Errors of the operating system.

system-not-found = 没有此文件或命令
system-forbidden = 没有权限
system-folder = 它是文件夹
system-no-folder = 路径中应为文件夹之处不是文件夹
system-full = 磁盘已满
system-read-only = 磁盘为只读
system-memory = 本机内存不足
system-too-long = 名称或命令过长
system-no-answer = 磁盘或网络没有应答
system-exists = 已有同名的内容
system-too-large = 超过允许的大小
system-links = 链接过多，或链接互相指向
system-busy = 另一个程序正在使用它
system-odd = 其内容无法读取
system-files = 打开的文件过多
system-disk = 磁盘读写失败
system-no-program = 它不是本机可运行的程序
system-error = 系统错误 { $number }
system-unknown = 未知错误
