### What is wrong in the settings file, and how to mend it. Said after the file's name, line and column.

settings-error = { $place }: { $message }; { $mend }
settings-error-alone = { $message }; { $mend }

settings-not-utf8 = the file is not UTF-8 from here on
settings-twice = `{ $key }` stands twice
settings-not-toml = this is not TOML: { $why }
settings-not-a-file = it is not a file
settings-too-large = it is larger than 1 MiB
settings-no-permission = no permission to read it
settings-unreadable = it can't be read: { $why }
settings-unknown-key = unknown key `{ $key }` in { $table }
settings-unknown-key-at-top = unknown key `{ $key }` at the top of the file
settings-secret-key = `{ $key }` in { $table } looks like a secret
settings-secret-key-at-top = `{ $key }` at the top of the file looks like a secret
settings-wrong-type = `{ $key }` must be { $wanted ->
    [number] a whole number
    [truth] true or false
    [duration] text with a unit
    [list] a list
    [tables] a list of tables
    [table] a table
   *[text] text
}, not { $found ->
    [number] a number
    [truth] true or false
    [time] a date or time
    [list] a list
    [table] a table
   *[text] text
}
settings-empty = `{ $key }` is empty
settings-out-of-range = `{ $key }` is out of range
settings-duration-too-long = `{ $key }` is too long
settings-no-unit = `{ $key }` has no unit
settings-no-duration = `{ $key }` is not a duration
settings-zero = `{ $key }` must be more than zero
settings-unknown-word = unknown word `{ $word }` for `{ $key }`
settings-some-word = unknown word for `{ $key }`
settings-quiet-hours-without = quiet hours without `{ $key }`
settings-no-time = `{ $key }` is not a time of day
settings-same-times = `to` is the same as `from`
settings-second-id = a second channel with the id `{ $id }`
settings-same-user = the same URL and credential as channel `{ $id }`: they would replace each other
settings-same-client = the same `url` and `client_id` as channel `{ $id }`: they would replace each other
settings-no-url = a channel without `url`
settings-url-no-scheme = `url` does not begin with a scheme
settings-url-wrong = `{ $key }` is not a URL: { $why }
settings-url-not-websocket = `url` is not a WebSocket address
settings-url-no-host = `url` has no host
settings-url-port = `url` has port 0, which can't be connected to
settings-url-user = `{ $key }` holds a user name or password
settings-url-mqtt-path = an MQTT broker's address ends after its port
settings-url-mqtt = `url` is an MQTT broker's address, which other kinds can't be spoken with
settings-url-not-web = this is not the address of a web server
settings-url-fragment = `url` has a fragment, which no server ever sees
settings-url-plaintext = `url` would send everything unencrypted to { $host }
settings-url-secret = `url` seems to hold a secret in its query
settings-no-id-by-name = no id can be made from this name
settings-no-id-by-host = no id can be made from this host
settings-id = `id` has other characters or is too long
settings-username = `username` holds a colon or a control character, which Basic can't carry
settings-no-username = `auth` is basic, but there is no `username`
settings-auth-name = `{ $key }` is not a name that HTTP knows
settings-auth-names = `auth` must have one name
settings-beside = `{ $second }` beside `{ $first }`
settings-auth-none = `auth` is none, so `{ $key }` is of no use
settings-token-env = `token_env` is not the name of a variable
settings-header-name = this is not the name of a header
settings-header-secret = the header `{ $name }` usually holds a secret
settings-header-credential = the header `{ $name }` seems to hold a secret
settings-header-ours = `{ $name }` is set by the connection itself
settings-header-text = this can't be sent in a header
settings-proxy = `proxy` is not the address of a proxy
settings-client-key = `client_key` without `client_cert`
settings-path = `{ $key }` is not a path
settings-no-home = there is no home folder to put for `~`
settings-heartbeat-rare = `interval` ({ $interval }) is above two thirds of `proxy_timeout` ({ $timeout })
settings-short = `{ $key }` ({ $value }) is too short
settings-long = `{ $key }` ({ $value }) is too long
settings-heartbeat-long = `text` has { $bytes } bytes, which is too long
settings-cap = `cap` ({ $cap }) is below `first` ({ $first })
settings-mapping = `{ $key }` is neither a JSON Pointer nor a template
settings-template = the template for `{ $key }` has a mistake: { $why }
settings-when = `when` has a mistake: { $why }
settings-ignore-when = `ignore_when` has a mistake: { $why }
settings-key-of-kind = `{ $key }` is for channels of kind { $kind } alone
settings-key-useless = `{ $key }` has no effect on a channel of kind { $kind }
settings-key-of-http = `{ $key }` goes with HTTP, which isn't spoken with mqtt:// and mqtts:// addresses
settings-key-of-session = `{ $key }` is for channels with `auth = "session"` alone
settings-session-kind = `auth` is session, which ntfy and Gotify don't know
settings-mqtt-auth = a broker takes a user name and a password, so `auth` is none, bearer or basic with mqtt:// and mqtts:// addresses
settings-session-said = the dialogue says the secret, so `auth` can't be session
settings-session-site = `{ $key }` leads to another site than `url`, which would get the session's cookies
settings-sign-in = `sign_in` is the address of a web page
settings-keep-session = `keep_session` is out of range
settings-ntfy-url = the address of an ntfy server has no path and no query
settings-base-query = the address of a Gotify server has no query
settings-no-topics = an ntfy channel without `topics`
settings-no-filters = an MQTT channel without `topics`
settings-no-filter = a topic without `filter`
settings-filter-long = this topic filter has more than 65,535 bytes
settings-filter-control = this topic filter has a control character
settings-filter-hash = in a topic filter `#` stands at the end and alone between slashes
settings-filter-plus = in a topic filter `+` stands alone between slashes
settings-filter-shared = the broker would share the messages of this topic filter out among all who name it, so that each gets only some
settings-client-id = `client_id` has a control character or is too long
settings-topic = this is not the name of a topic
settings-topic-twice = the topic { $topic } is there twice
settings-topics-count = { NUMBER($count) } topics
settings-no-dialogue = a dialogue without `preset` and without `[channel.dialogue]`
settings-set-unknown = the preset { $preset } knows nothing called `{ $name }`
settings-set-missing = the preset { $preset } needs to know `{ $name }`
settings-set-name = `{ $name }` can't be the name of a value
settings-set-secret = `{ $name }` looks like a secret, which does not belong into this file
settings-subprotocol = this is not the name of a subprotocol
settings-beat = a beat needs `text` and `interval`
settings-on-without-when = a rule of the dialogue without `when`
settings-on-nothing = a rule of the dialogue from which nothing follows
settings-on-ignore = `ignore` beside what follows from the same rule
settings-on-close = a rule about close codes can only refuse, replace or ignore
settings-post = `post` needs an address and a form
settings-post-url = the address of `post` may say what stands in `set`, and nothing that a server sends
settings-pointer = `{ $key }` is not a JSON Pointer
settings-secret-said = the dialogue says the secret, so `auth` can't be none
settings-secret-unsaid = `auth` is dialogue, but no text of the dialogue says the secret

settings-mend-utf8 = save it as UTF-8
settings-mend-twice = keep one of the two, and one header for each table
settings-mend-toml = put text in quotes, and write one `key = value` a line
settings-mend-not-a-file = put the settings into a file of this name
settings-mend-too-large = is this the settings file? Remove what is not settings
settings-mend-permission = make it yours and readable: chown, chmod 600
settings-mend-disk = see that the file and its disk are in order
settings-mend-near = did you mean `{ $word }`?
settings-mend-known = known here: { $known }
settings-mend-secret = keep it out of the file: name a command, file or variable with token_command, token_file or token_env
settings-mend-secret-query = keep it out of the file: name a command, file or variable with token_command, token_file or token_env, and the parameter with { $auth }
settings-mend-secret-header = keep it out of the file: name a command, file or variable with token_command, token_file or token_env, and the header with `auth`
settings-mend-quotes = put it in quotes
settings-mend-fill = fill it in, or remove the line
settings-mend-truth = write true or false, without quotes
settings-mend-range = write a whole number from { $least } to { $most }
settings-mend-write = write { $text }
settings-mend-write-as = write it as { $text }
settings-mend-example = write for example { $text }
settings-mend-durations = write for example "1500ms", "60s", "5m" or "2h"
settings-mend-at-most = write at most { $text }
settings-mend-or-more = write { $text } or more
settings-mend-or-less = write { $text } or less
settings-mend-one-of = write one of { $known }
settings-mend-brackets = put it in brackets: [ … ]
settings-mend-header = write its header in double brackets, `[[…]]`
settings-mend-keys-under = write its keys under { $table }
settings-mend-whole-day = for a whole day write "00:00" to "23:59"
settings-mend-own-id = give each channel an `id` of its own
settings-mend-same-user = remove one of the two, or give each a token_command, token_file or token_env of its own
settings-mend-same-client = remove one of the two channels, or give each a `client_id` of its own
settings-mend-add = add { $text } to this channel
settings-mend-url = add url = "wss://…"
settings-mend-add-id = add an `id` to this channel
settings-mend-add-when = add a `when`
settings-mend-kind = set { $text }, or remove it
settings-mend-topics = write what follows the host as { $text }
settings-mend-topic = use 1 to { NUMBER($most) } letters, digits, - and _ (and none of ntfy's own pages)
settings-mend-topics-count = name 1 to { NUMBER($most) } of them
settings-mend-client-id = use at most { NUMBER($most) } bytes, or remove it
settings-mend-remove-query = remove it from the ? on
settings-mend-set-name = use letters, digits and _, and none of json, raw, close, reason, secret, username, last, n
settings-mend-secret-said = keep it where the channel's secret is, and write { $text } in the text
settings-mend-beat = set { $text } in [channel.dialogue]
settings-mend-ignore = add ignore = true, if that is what you mean
settings-mend-remove-ignore = remove one of the two
settings-mend-post-url = write the address out, or name a value of `set`
settings-mend-on-close = set refused, replaced or ignore
settings-mend-said = remove auth, or the secret from the text
settings-mend-unsaid = write { $text } in a text, or another auth
settings-mend-port = write the server's port, or none
settings-mend-mqtt-path = remove what stands behind the port, and name what is to be heard in `topics`
settings-mend-fragment = remove it from the # on
settings-mend-plaintext = write { $scheme }://, or add allow_plaintext = true to this channel
settings-mend-id = use at most { $most } letters, digits, `-`, `_` and `.`
settings-mend-username = correct it, or choose another `auth`
settings-mend-auth-name = use letters, digits and `-`; the secret itself stands elsewhere
settings-mend-auth-names = write one of header, query and cookie
settings-mend-keep-one = keep one of the two
settings-mend-auth-none = remove `{ $key }`, or choose another `auth`
settings-mend-token-env = write its name without `$` and value
settings-mend-header-name = use letters, digits and `-`
settings-mend-remove = remove it
settings-mend-header-text = use printable ASCII on one line
settings-mend-proxy = write it as "socks5://host:1080" or "http://host:3128"
settings-mend-proxy-user = remove them here and set the environment variable HTTPS_PROXY or ALL_PROXY instead
settings-mend-nul = remove the NUL character
settings-mend-remove-control = remove the control character
settings-mend-whole-path = write the whole path
settings-mend-shorten = shorten it
settings-mend-mapping = write it as "/payload/subject" or { $template }

settings-file-unreadable = can't read the { $key } { $file }: { $why }; correct its path or its permissions
settings-cert-unusable = the client_cert { $file } can't be used: { $why }

settings-edit-first = mend the settings file by hand first: { $why }
settings-edit-write-failed = the settings file { $file } can't be written: { $why }
settings-edit-write-changed = the settings file { $file } can't be written: it was changed at the same moment
settings-login-missing = The start at login has no effect: the entry for it was removed. Switch it off and on again here to make it anew.
settings-login-off = The start at login has no effect: this desktop's own settings switch it off, in { $file }. Switch it on there.
settings-edit-read-only = the settings file { $file } can't be written: it is read-only; `chmod u+w` makes it yours to change
settings-edit-no-channel = these values make no channel
settings-edit-changed = it was changed in the settings file meanwhile; look at it again, then save
settings-edit-key-changed = `{ $key }` was changed in the settings file meanwhile; look at it again, then save
settings-edit-channel-first = the channel { $name } needs mending first: { $why }
settings-edit-unknown = there is no channel with the id `{ $id }` in the settings
settings-edit-value = `{ $key }` can't be set to that: { $why }
settings-oauth-needs = [channel.oauth] has no `{ $key }`
settings-oauth-issuer = this is no address of a provider; it starts with https (http on this machine alone) and has no `?`
settings-oauth-scope = a scope is one word, without spaces or quotes; write several as a list
