### Sending a message: why it can't be done, or wasn't.

send-empty = there is no text to send
send-priority = the priority is 1 to 5
send-cannot = this channel's server takes no messages that Tidings knows how to send; if it takes a POST of JSON (`tidings-server` does), name the address in send_url
send-mqtt = Tidings hears MQTT brokers, and publishes nothing there
send-gotify-token = Gotify takes messages of applications alone: make one there, and name its token in send_token_command, send_token_file or send_token_env; or, where Gotify is 3.0 or newer, its number in send_app
send-which-topic = say by --topic which one of the channel's topics is meant: { $known }
send-only-ntfy = topics and tags are ntfy's alone
# Why it wasn't sent.
send-failed = not sent: { $cause }
# The server's own words, which are untrusted.
send-said = { $cause }: { $said }
send-ntfy-login = the server doesn't know this user or token ({ $code })
send-ntfy-forbidden = nobody may write to this topic by this sign-in, or without one ({ $code })
send-ntfy-too-long = the message is too long for the server ({ $code })
send-ntfy-bandwidth = the server's bandwidth for attachments is used up for today ({ $code })
send-ntfy-daily = the messages that the server allows a day are used up ({ $code })
send-ntfy-locked = too many failed sign-ins came from here: the server takes none for a while, and each further try makes that longer ({ $code })
send-ntfy-requests = too many requests: wait a minute ({ $code })
send-gotify-client = the server refuses the channel's own token for sending: a Gotify before 3.0 takes an application's alone, named in send_token_command, send_token_file or send_token_env ({ $status })
send-gotify-refused = the server wants the token of an application, and not of a client ({ $status })
send-token-refused = the server refuses the token of send_token_command, send_token_file or send_token_env, or wants one ({ $status })
send-too-long = the message is too long for the server (413)
