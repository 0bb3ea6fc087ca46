### Why a channel's secret could not be had, and how to mend it.

credential-env = token_env: the variable { $name } is not set or empty; set it where Tidings is started
credential-file = token_file: can't read { $file }: { $why }; correct its path or its permissions
credential-not-a-file = it is not a file
credential-start = token_command can't be run: { $why }; see that `sh` and the system are in order
credential-timed-out = token_command took longer than { $limit } and was killed; run it by hand to see what it waits for
credential-failed = token_command failed ({ $status }); run it by hand to see why
credential-failed-saying = token_command failed ({ $status }): { $complaint }; run it by hand to see why
credential-empty = { $source ->
    [keyring] the keyring
    [field] the field
    [file] the file
   *[key] { $source }
} gave an empty secret; see that it holds one
credential-too-large = { $source ->
    [keyring] the keyring
    [field] the field
    [file] the file
   *[key] { $source }
} gave more than 64 KiB; it must give the secret alone
credential-unusable = { $source ->
    [keyring] the keyring
    [field] the field
    [file] the file
   *[key] { $source }
} gave what can't be a secret: several lines, control characters, invisible ones or no UTF-8; it must give one line of text
credential-no-cookies = { $source ->
    [keyring] the keyring
    [field] the field
    [file] the file
   *[key] { $source }
} gave no cookies; for a session it must give a whole Cookie header (`a=1; b=2`) or a list of cookies in JSON
credential-not-signed-in = you are not signed in at { $site }. Sign in there from Tidings

keyring-absent = there is no keyring here ({ $why }); start one (GNOME Keyring, KWallet, KeePassXC), or name token_command, token_file or token_env in the settings
keyring-locked = the keyring is locked; unlock it (logging in to the desktop usually does)
keyring-silent = the keyring did not answer within { $limit }; see that it works, or name token_command, token_file or token_env in the settings
keyring-no-collection = the keyring has no default collection; make one in its program (such as Passwords and Keys), and call it default
keyring-failed = the keyring refused: { $why }
# How a command ended.
credential-exit-code = exit status: { $code }
credential-signal = signal: { $signal }
