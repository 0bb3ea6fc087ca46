### The tray's menu and tooltip, beside what shared.ftl has of a channel's state.

# Nothing is wrong: at the start, and when the user asked.
state-about-to-connect = Connecting at { $time }
# A channel's line where there are several: its name and its state.
channel-line = { $channel }: { $state }

stage-credential = credentials
stage-lookup = name lookup
stage-tcp = TCP
stage-tls = TLS
stage-upgrade = upgrade
stage-answer = answer

# The tooltip's first line: what the icon says, in words. Some hosts show no more of it. Some read it as markup and some don't:
# none of < > & may be in it.
tray-title = Tidings: { $state }
tray-title-unread = Tidings: { $state }, unread messages
tray-title-connected = Connected
tray-title-working = Connecting
tray-title-off = Disconnected
tray-title-replaced = Replaced by another tab or device
tray-title-attention = Needs you

tray-no-channel = No channel in the settings file yet
tray-no-notice = No notices
tray-notice-and-more = { $notice } (and { $more } more)
tray-pause = Pause notifications
tray-paused = Notifications paused
tray-paused-until = Notifications paused until { $time }
tray-resume = Resume now
tray-pause-minutes = { $minutes ->
    [one] For 1 minute
   *[other] For { $minutes } minutes
}
tray-pause-hours = { $hours ->
    [one] For 1 hour
   *[other] For { $hours } hours
}
tray-pause-morning = Until tomorrow 08:00
tray-pause-on = Until resumed
tray-recent = Recent
tray-open = Open Tidings
tray-quit = Quit

# How a date without its year is written, for strftime: 28 Feb.
date-format = %-d %b
