### What `tidings export` and `tidings import` say, a line a channel.

transfer-added = { $channel }：已添加
transfer-changed = { $channel }：已更改（{ $keys }）
transfer-same = { $channel }：已存在，且相同
transfer-differs = { $channel }：保持不变，但存在差异（{ $keys }）；使用 `--replace` 可采用文件中的设置
transfer-secrets = 文件中不含密钥：`tidings secret set CHANNEL` 可将密钥保存到密钥环
transfer-none = { $file } 中没有频道
