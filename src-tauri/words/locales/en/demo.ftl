### The demo's channel and its first message.

demo-name = Demo
demo-title = Welcome to Tidings
demo-body = This came from a small server on this computer. Push another one from a terminal: { $command }

demo-missing = the demo's server is not installed: there is no { $file }
demo-failed = the demo's server could not be started: { $why }
demo-silent = the demo's server did not start; try again
