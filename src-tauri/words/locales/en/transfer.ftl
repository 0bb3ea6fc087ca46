### What `tidings export` and `tidings import` say, a line a channel.

transfer-added = { $channel }: added
transfer-changed = { $channel }: changed ({ $keys })
transfer-same = { $channel }: there already, and the same
transfer-differs = { $channel }: left as it is, though it differs ({ $keys }); `--replace` takes what the file says
transfer-secrets = The file holds no secrets: `tidings secret set CHANNEL` keeps one in the keyring
transfer-none = there is no channel in { $file }
