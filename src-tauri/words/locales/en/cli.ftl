### What the command line prints for people, and the agent's refusals.

cli-status = { $channel }: { $state } since { $time }
cli-status-stage = { $line } ({ $stage })
cli-status-retry = { $line }, next try at { $time }
cli-status-cause = { $line }: { $cause }
cli-status-idle = { $line }; silent links are ended there after { NUMBER($seconds) } s (`tidings doctor --idle` measures it), so this one is kept awake every { NUMBER($every) } s
cli-status-carried = { $line }; carried by { $carrier }, as { $instead }
cli-status-session-memory = { $line }; the session is in memory alone, and over when Tidings ends
cli-status-session-life = { $line }; this site ends a session after about { NUMBER($minutes) } min without a page
cli-status-all-here = { $line }; all that was missed is here
cli-status-gap = { $line }; { $gap }
cli-status-unread = { $line } ({ $unread } unread)
cli-status-none = no channel in the settings file
cli-raised = Tidings is running already; its window was asked to show.
cli-runs-already = Tidings is running already.
cli-nobody-concerned = No channel is concerned.

cli-not-running = Tidings is not running; start it by `tidings`
cli-silent = the running Tidings does not answer; wait a moment, or end it and start it again
cli-broken = the connection to the running Tidings broke: { $why }
cli-other-version = the running Tidings is of another version ({ $version }); quit it and start it again
cli-malformed = the running Tidings gave an answer that was not understood

cli-pause-no-time = { $typed } is no time of day; write for example `tidings pause until 08:00`
cli-pause-no-duration = { $typed } is no duration; write for example `tidings pause 1h`, or 30m, or `off`
cli-pause-usage = write `tidings pause 1h`, `tidings pause until 08:00` or `tidings pause off`

cli-no-channel = no channel in { $file }; write one there, or give --url
cli-several-channels = several channels in { $file }; say which by --channel: { $known }
cli-unknown-channel = no channel is called { $name } in { $file }; there is: { $known }
cli-held = the running Tidings holds the channel { $name }, and a second connection would take it over; `tidings tail` prints its messages
cli-listen-broker = what is to be heard of an MQTT broker stands in a channel's settings: add the channel, and name it with --channel
cli-listen-state = { $now } { $channel } is { $state }
cli-listen-until = { $line } until { $time }

cli-secret-elsewhere = the channel { $name } has { $key } in the settings; remove that to use the keyring
cli-secret-unreadable = the secret can't be read: { $why }
cli-secret-prompt = Secret of { $channel }:
cli-secret-kept = the secret is kept in the keyring
cli-secret-exported = the secret is in { $file }, which only you can read: whoever has it is you at the server. Delete it once it is used
cli-secret-export-where = a secret is shown on no screen: name a file for it, or hand it to a program (`| …`)
cli-sign-in = sign in in the page that opens
cli-signed-out = signed out, and disconnected
cli-secret-removed = { $count ->
    [one] the secret is removed from the keyring
   *[other] the secret is removed from the keyring, which had it { $count } times
}
cli-secret-none = the keyring has no secret of this channel
cli-secret-not-told = the running Tidings was not told ({ $told }); it learns of it when it dials

cli-state-folder = the state folder { $folder } can't be made: { $why }; see that the folder above it is yours and can be written, or name another one in XDG_STATE_HOME
cli-lock-file = the lock file { $file } can't be used: { $why }; see that it is a file of yours that can be written
cli-not-written = { $file } can't be written: { $why }
cli-not-read = { $file } can't be read: { $why }
cli-answer = the answer can't be written: { $why }

refused-unknown-channel = no channel is called { $name }; there is: { $known }
refused-unknown-address = no channel has this address; there is: { $known }
refused-unknown-id = no message in the inbox has the id { $id }
refused-no-session = { $name } doesn't sign in on a web page: set auth = "session" for it
refused-no-code = { $name } has no [channel.oauth]: it signs in in another way
refused-session-elsewhere = { $name } has { $key } in the settings; remove that to sign in here
refused-no-cookies = none of the page's cookies is for { $host }: set `sign_in` to a page of that site
refused-no-link = this message has no link, or is no longer there
refused-no-action = this message has no such button, or is no longer there
# A button of a message; the cause is in words of ours.
refused-not-sent = { $host } did not take what was sent: { $cause }
refused-window-open = the window is open already
refused-ending = Tidings is ending
refused-unknown-channel-id = there is no channel with the id { $id }
refused-no-sample = this channel has received no message yet: paste one
refused-not-a-message = this is no message
# A sample that is no text.
preview-bytes = { $count ->
    [one] 1 byte
   *[other] { $count } bytes
}
cli-sign-in-code = Open { $page } and type { $code } there, within { $minutes } min.
cli-sign-in-code-or-page = Open { $page } and type { $code } there, within { $minutes } min; or open { $whole }
cli-signed-in = Signed in.
