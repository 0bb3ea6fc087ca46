### Why something can't be read, written or had: what the system and the libraries say, in words of ours.

# TOML.
toml-quotes = text stands here without quotes
toml-open-text = the text that begins here has no closing quote
toml-open-bracket = a bracket is opened and not closed
toml-no-value = a key has no value
toml-no-key = a key is missing, or is written with what no key can hold
toml-no-equals = there is not just one `=` between key and value
toml-comma = a comma is missing, or is one too many
toml-escape = a `\` begins what is no escape; in text between single quotes it is itself
toml-number = this is not a number that can be read
toml-line-end = a line ends in a way that TOML doesn't know
toml-control = a control character stands here
toml-behind = something follows where the line should end
toml-again = what has a value already can't get more keys
toml-deep = tables and lists are nested too deeply
toml-other = it can't be read from here on

# Addresses.
url-empty-host = the host is missing
url-name = the host's name is not one
url-port = the port is not a number up to 65535
url-address = the host is not an IP address, though it looks like one
url-no-scheme = it does not begin with a scheme
url-too-long = it is too long
url-other = it can't be read
address-syntax = this is not a URL: { $why }; { $mend }
address-scheme = { $scheme }:// can't carry a channel; write wss:// (or ws:// on this machine)
address-plaintext = { $host } would be reached without encryption; write { $scheme }://, or name the channel in the settings with allow_plaintext = true
proxy-syntax = the proxy's address is not a URL: { $why }; { $mend }
proxy-scheme = { $scheme }:// is no kind of proxy that is known here; write http://, socks5:// or socks5h://
proxy-no-host = the proxy's address names no host; { $mend }
proxy-user = the proxy's user name or password is too long; each has at most 255 bytes

# Client certificates.
cert-none = no certificate can be read there; it takes PEM, `-----BEGIN CERTIFICATE-----`
cert-no-key = no private key can be read there; it takes PEM without a password, `-----BEGIN PRIVATE KEY-----`
cert-unusable = certificate and key can't be used together; the key is another certificate's, or of a kind that isn't known

# Templates and conditions.
expression-unfinished = something is begun and not ended
expression-unexpected = { $piece } can't stand here
expression-misplaced = this can't stand here
expression-unknown = nothing of this name is known here
expression-other = it can't be read

# Values in the window.
value-not-channels = channels are added, changed and removed one by one
value-list = it is a list
value-tables = its elements are tables
value-null = null stands for no value
value-too-large = the number is too large

# The inbox's file.
inbox-newer = it was written by a newer Tidings (format { $found }; this one knows { $known })
inbox-damaged = it is damaged
inbox-foreign = it is no inbox
inbox-busy = another program holds it
inbox-disk = the disk fails to read or write
inbox-folder = its folder can't be made ({ $why })
inbox-forbidden = it may not be written ({ $why })
inbox-stuck = it is damaged and can't be set aside ({ $why })

# The session bus and what is asked over it.
bus-none = there is no session bus
bus-nobody = nobody there offers this
bus-silent = no answer in time
bus-refused = the answer was a refusal
bus-broken = the connection broke
bus-odd = the answer was not understood
socket-ended = the connection was ended
keyring-dismissed = the prompt was dismissed
keyring-gone = what was asked for is no longer there
