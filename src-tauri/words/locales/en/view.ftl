### The window in which a channel's user signs in, around the web app's page.

view-title = Sign in to { $channel }
view-title-at = { $host }: sign in to { $channel }
view-again = Start again
view-done = I am signed in
# Before the address of a page that others on the way can read.
view-plain = Not encrypted
view-connecting = Signed in. Connecting { $channel } …
view-renewed = The sign-in page had been open for so long that the site would not have taken it. This is a fresh one.
view-alone = Nobody signed in for half an hour.
view-endless = The site leads from one page to the next without end.
view-large = The page is too large: it takes more memory than a sign-in may.
view-unreachable = The page at { $host } can't be loaded.
view-untrusted = The certificate of { $host } is not trusted, so nothing was sent there.
view-crashed = The page has failed.
view-no-window = The page wanted to open another window. There are none here.
view-no-download = The page wanted to save a file. Nothing is saved here.
view-no-scheme = The page wanted to go to an address that is no web page.
view-no-cookie = The site has not signed you in yet: it has set no cookie for the channel.
view-client-cert = The site asks for a client certificate, and this view has none to show, so it may not let you in. Then sign in by a program of your own: token_command.
view-not-taken = Tidings could not take the sign-in over. Is it still running?
