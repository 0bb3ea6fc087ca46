### The demo's channel and its first message.

demo-name = Demo
demo-title = Welcome to Tidings
demo-body = This came from a small server on this computer. Push another one from a terminal: { $command }
