### Signing in by OAuth: why it can't be done, and what the browser says afterwards.

oauth-away = the sign-in service { $host } can't be asked: { $cause }
oauth-no-provider = what answers at { $host } is no OAuth provider, or another one than `issuer` says; correct `issuer` in [channel.oauth]
oauth-not-offered = { $host } doesn't offer this way to sign in; ask whoever runs it
# The provider's own words, which are untrusted.
oauth-refused = { $host } refuses: { $said }; see that it knows this `client_id` and these `scopes`
oauth-sign-in = your sign-in at { $host } is over, or was never made: sign in
oauth-no-port = the browser can't come back to this machine: the port of `redirect_port` is taken; choose another one, or leave it out
oauth-declined = the sign-in was declined
oauth-too-late = the sign-in took too long: begin again
# On a page in the browser.
oauth-page-done = You are signed in to Tidings. You can close this page.
oauth-page-refused = You are not signed in: the service refused. Tidings says more.
oauth-page-nothing = There is nothing here.
