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
system-error = 系统错误 { $number }
system-unknown = 未知错误
