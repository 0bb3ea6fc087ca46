//! T6: a form that a dialect has sent over HTTP while its link waits, such as for the signature of a subscription.

use std::sync::Arc;

use http::Method;
use tidings_dialect::Posted;
use tokio::sync::Mutex;
use url::form_urlencoded;

use crate::way::fetch::{Fetch, fetch};
use crate::{Cause, ChannelUrl, Config, Detail, DialAsk, DialParams, DialRefusal, Owner};

/// Longest answer, bytes. Too low: a user's data beside a signature can't be had; too high: a hostile server takes memory.
const MOST: usize = 64 * 1024;

/// The answer's body, or why there is none. The address is one of the settings', so that what the channel signs in with goes there.
pub(crate) async fn posted(
    config: Arc<Config>,
    owner: Arc<Mutex<impl Owner>>,
    Posted { url, form }: Posted,
) -> Result<String, Cause> {
    // The settings were read by whether it may be plain.
    let url = ChannelUrl::parse(&url, true).map_err(|_| Cause::NoGoodAnswer { detail: Detail::Unknown })?;
    let params = owner.lock().await.dial_params(DialAsk::default()).await;
    let params = params
        .map_err(|DialRefusal { message: detail, cause, .. }| cause.unwrap_or(Cause::Owner { detail }))?;
    let params = DialParams { path: None, ..params };
    let kind = "application/x-www-form-urlencoded".to_owned();
    let headers =
        vec![("content-type".to_owned(), kind), ("accept".to_owned(), "application/json".to_owned())];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let ask = Fetch { method: Method::POST, headers, body, most: MOST, ..Fetch::get(url.clone()) };
    let fetched = fetch(&Config { url, ..Config::clone(&config) }, &params, ask).await?;
    if let Some(cause) = fetched.failure() {
        return Err(cause);
    }
    if fetched.asks_to_sign_in(config.session.is_some() || params.has_cookie()) {
        return Err(Cause::SignInRefused { status: fetched.status });
    }
    Ok(String::from_utf8_lossy(&fetched.body).into_owned())
}
