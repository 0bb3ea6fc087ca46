### Why a channel is not connected. The English ones are also the log's, where tidings-channel says them.

# A close code, and what it means: words of ours, or the reason that the server gave.
cause-close = { $meaning } ({ $code })
# The same with both.
cause-close-said = { $meaning }: { $reason } ({ $code })
cause-close-1000 = closed by the server
cause-close-1001 = server going away
cause-close-1002 = protocol error
cause-close-1003 = kind of message not accepted
cause-close-1005 = closed by the server without a code
cause-close-1006 = connection lost
cause-close-1007 = invalid text
cause-close-1008 = refused by the server's policy
cause-close-1009 = message too big
cause-close-1010 = extension missing
cause-close-1011 = server error
cause-close-1012 = server restarting
cause-close-1013 = server busy
cause-close-1014 = bad gateway
cause-close-1015 = encryption failed
cause-close-3000 = sign-in needed
cause-close-3003 = not allowed
cause-close-4500 = replaced by another tab or device
cause-lost = connection lost ({ $detail })
cause-silent = no answer for { NUMBER($seconds) } s
cause-write-stalled = connection stalled while sending
cause-invalid-text = the server sent invalid text ({ $code })
cause-too-big = the server sent too big a message ({ $code })
cause-protocol = the server broke the protocol: { $detail } ({ $code })
cause-lookup = server name not found ({ $detail })
cause-unreachable = server not reachable ({ $detail })
cause-timed-out-credential = reading the credential took too long
cause-timed-out-lookup = the name lookup took too long
cause-timed-out-tcp = connecting took too long
cause-timed-out-tls = the TLS handshake took too long
cause-timed-out-upgrade = the WebSocket upgrade took too long
cause-tls = encryption failed ({ $detail })
cause-clock = this machine's clock seems wrong: it says { $says }, and the server's certificate begins on { $begins }
cause-certificate = certificate refused ({ $detail })
cause-wrong-name = certificate for another name ({ $detail })
cause-proxy = no way through the proxy: { $detail }
cause-wrong-address = wrong address: nothing is there ({ $status }), or a proxy drops `Upgrade`
cause-moved = the address moved to { $to } ({ $status })
cause-moved-elsewhere = the server redirects elsewhere ({ $status }): { $to }
cause-hangs-up = probably a wrong address: the server hangs up without an answer
cause-sign-in-refused = sign-in refused ({ $status })
cause-sign-in-proxy = the proxy asks for a sign-in ({ $status })
cause-sign-in-asked = the server asks for a sign-in ({ $status })
cause-not-a-websocket = no WebSocket at this address ({ $detail })
cause-captive-portal = this network asks for a sign-in first
cause-local = reconnecting
cause-status-nothing = nothing at this address ({ $status }), or a proxy drops `Upgrade`
cause-status-no-upgrade = the server refused the request ({ $status }); a proxy may drop `Upgrade`
cause-status-cannot = no WebSocket at this address ({ $status }), or a proxy drops `Upgrade`
cause-status-not-now = not now, says the server ({ $status })
cause-status-unavailable = not available ({ $status })
cause-status-too-many = too many requests ({ $status })
cause-status-gateway = server not there behind its proxy ({ $status })
cause-status-busy = server busy ({ $status })
cause-status-redirect = the server redirects elsewhere ({ $status })
cause-status-refused = the server refused the request ({ $status })
cause-status-error = server error ({ $status })
cause-status-other = no WebSocket at this address ({ $status })
# Follows on a refused sign-in: what to do about it.
cause-mend-secret = { $cause }: `tidings secret set { $channel }` keeps a secret in the keyring, and token_command, token_file or token_env in the settings name another place
# Follows on a sign-in that was refused with 403, which many servers say for everything.
cause-mend-forbidden = { $cause }: the secret, the URL's path, or a missing `Origin` in `headers` may be why
