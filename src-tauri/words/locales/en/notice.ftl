### What the user should know and mend: lines in the tray's menu and banners in the window.

# Of the inbox the English ones are also the log's, where tidings-inbox says them.
notice-inbox-off = The inbox is off: its thread could not be started ({ $why }). Messages are neither stored nor shown. Raise the limit of processes of this user and restart Tidings.
notice-inbox-set-aside = The inbox { $file } could not be read ({ $why }). It was set aside as { $aside } and a new one was started. The earlier messages are in that file; `sqlite3 FILE .recover` saves what can be saved.
notice-inbox-newer = The inbox { $file } can't be opened: { $why }. Messages are shown, but only the last { $kept } are kept, in memory. It is left alone. Install the newer version again, or move the file away.
notice-inbox-unavailable = The inbox { $file } can't be opened: { $why }. Messages are shown, but only the last { $kept } are kept, in memory. It is tried again by itself. Check that the folder is there and writable and that the disk has room.
notice-inbox-not-written = The inbox { $file } can't be written: { $why }. Messages are shown, and up to { $kept } wait in memory to be written later. Make room on the disk or mend its permissions.
notice-inbox-given-up = The inbox { $file } has not been writable for so long that the oldest of the waiting messages are given up; they were shown, but will not be in the inbox. Make room on the disk or mend its permissions.
notice-inbox-written = The inbox { $file } can be written again; the { $written } messages that waited are in it.

notice-not-remembered = { $file } can't be written: { $why }. Which channels are disconnected or replaced, and a pause, will be forgotten when Tidings ends. Make room on the disk or mend its permissions.

notice-window-library = the window needs WebKitGTK 4.1, which is not installed (Debian: libwebkit2gtk-4.1-0); everything else works without it
notice-window-missing = the window is not installed: there is no { $file }; everything else works without it
notice-window-failed = the window could not be started: { $why }

notice-crashed = Part of Tidings stopped unexpectedly. If something no longer works, quit Tidings (`tidings quit`) and start it again. The report is { $file }; "Copy diagnostics" and `tidings diagnostics` have it, too
# Of a message, by its host or mail address; and where a popup may not tell that.
notice-link-failed = No program opens the link to { $host }. The message stays unread. Choose a web browser (or a mail program) in the desktop’s settings; where there is no `xdg-open`, install it (Debian: xdg-utils).
notice-link-failed-private = No program opens the message’s link. The message stays unread. Choose a web browser (or a mail program) in the desktop’s settings; where there is no `xdg-open`, install it (Debian: xdg-utils).

