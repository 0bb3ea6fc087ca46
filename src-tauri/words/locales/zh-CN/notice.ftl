### What the user should know and mend: lines in the tray's menu and banners in the window.

# Of the inbox the English ones are also the log's, where tidings-inbox says them.
notice-inbox-off = 收件箱已停用：无法启动其线程（{ $why }）。消息既不会保存，也不会显示。请提高此用户的进程数上限，然后重新启动 Tidings。
notice-inbox-set-aside = 无法读取收件箱 { $file }（{ $why }）。已将其另存为 { $aside } 并新建了收件箱。之前的消息在该文件中；`sqlite3 FILE .recover` 可恢复其中尚可恢复的内容。
notice-inbox-newer = 无法打开收件箱 { $file }：{ $why }。消息会照常显示，但只在内存中保留最近 { $kept } 条。该文件不会被改动。请重新安装较新的版本，或移走该文件。
notice-inbox-unavailable = 无法打开收件箱 { $file }：{ $why }。消息会照常显示，但只在内存中保留最近 { $kept } 条。Tidings 会自动重试。请检查文件夹是否存在且可写，以及磁盘是否有空间。
notice-inbox-not-written = 无法写入收件箱 { $file }：{ $why }。消息会照常显示，最多 { $kept } 条在内存中等待稍后写入。请腾出磁盘空间或修正权限。
notice-inbox-given-up = 收件箱 { $file } 长时间无法写入，只能舍弃等待中最早的消息；这些消息已经显示过，但不会出现在收件箱中。请腾出磁盘空间或修正权限。
notice-inbox-written = 收件箱 { $file } 已恢复写入；等待中的 { $written } 条消息均已保存。

notice-not-remembered = 无法写入 { $file }：{ $why }。Tidings 退出后将忘记哪些频道已断开或已被接管，以及是否处于暂停状态。请腾出磁盘空间或修正权限。

notice-window-library = 窗口需要 WebKitGTK 4.1，但尚未安装（Debian：libwebkit2gtk-4.1-0）；其他功能不受影响
notice-window-missing = 窗口未安装：找不到 { $file }；其他功能不受影响
notice-window-failed = 无法启动窗口：{ $why }

notice-crashed = Tidings 的一部分曾意外停止。如果有功能失灵，请退出 Tidings（`tidings quit`）并重新启动。报告位于 { $file }；“复制诊断信息”和 `tidings diagnostics` 中也包含该报告
# Of a message, by its host or mail address; and where a popup may not tell that.
notice-link-failed = 没有程序能打开指向 { $host } 的链接，该消息仍为未读。请在桌面设置中选择网页浏览器（或邮件程序）；如果没有 `xdg-open`，请安装它（Debian：xdg-utils）。
notice-link-failed-private = 没有程序能打开该消息的链接，该消息仍为未读。请在桌面设置中选择网页浏览器（或邮件程序）；如果没有 `xdg-open`，请安装它（Debian：xdg-utils）。

