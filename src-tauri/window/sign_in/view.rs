//! A web view for one sign-in: WebKit's own, without Tauri, so that there is nothing of ours in it that a page could call. It
//! keeps nothing on disk and nothing beyond its end, and can do no more than show pages.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use gtk::glib::Propagation;
use gtk::prelude::*;
use javascriptcore::ValueExt as _;
use tidings_api::{Cookie, SignInPage};
use url::Url;
use webkit2gtk::{
    AuthenticationRequestExt as _, AuthenticationScheme, CacheModel, ContextMenuAction, ContextMenuExt as _,
    ContextMenuItemExt as _, CookieManagerExt as _, DownloadExt as _, FileChooserRequestExt as _, LoadEvent,
    MemoryPressureSettings, NavigationAction, NavigationPolicyDecision, NavigationPolicyDecisionExt as _,
    NetworkProxyMode, NetworkProxySettings, PermissionRequestExt as _, PolicyDecisionExt as _,
    PolicyDecisionType, ResponsePolicyDecision, ResponsePolicyDecisionExt as _, SettingsExt as _,
    URIRequestExt as _, URIResponseExt as _, UserContentInjectedFrames, UserContentManager,
    UserContentManagerExt as _, UserScript, UserScriptInjectionTime, WebContext, WebContextExt as _,
    WebProcessTerminationReason, WebResourceExt as _, WebView, WebViewExt as _, WebsiteDataManager,
    WebsiteDataManagerExt as _,
};

use super::judge::Asks;
use super::trust::trusted;

/// Where our own scripts run: with the page's document, and out of reach of its scripts.
const WORLD: &str = "tidings";

/// Bytes that a page may announce. Pages of web apps have up to 10 MB; too low refuses such a one, too high lets the machine load
/// for nothing. One that announces nothing is held by [`MEMORY`].
const LARGE: u64 = 64 << 20;

/// MiB that a page's process may take. Web apps take up to 300, and a page of 100 MB more than 400; too low ends an honest one,
/// too high lets a hostile one press on the machine.
const MEMORY: u32 = 384;

/// How often its memory is looked at, while it is shown. Too low costs wake-ups, too high lets it grow meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// What happens in the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Another page stands there: the address is its.
    Page,
    /// That page, whose answer had this status, is loaded to its end; 0 where there is none.
    Finished,
    /// Something was posted: a form, or what a script sends.
    Posted {
        /// A form.
        form: bool,
    },
    /// Something has changed that could be worth a look.
    Stirred,
    /// The user typed or clicked.
    Touched,
    /// The site leads to the channel's own address, which is not asked for.
    Channel,
    /// Something was asked for that the view does not do.
    Denied(Denied),
    /// There is no page to be shown.
    Failed(Failure),
}

/// What the view does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Another window.
    Window,
    /// A download.
    Download,
    /// An address of another kind than http and https.
    Scheme,
    /// A client certificate.
    Certificate,
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server can't be reached, or breaks off.
    Unreachable,
    /// Its certificate is not trusted.
    Certificate,
    /// It takes too much memory.
    Large,
    /// The web engine ended.
    Crashed,
}

/// The view. Nothing of it is left when it is dropped.
#[derive(Debug)]
pub(crate) struct View(Eyes);

/// What looks into a view, for as long as that is there.
#[derive(Debug, Clone)]
pub(crate) struct Eyes {
    web: WebView,
    context: WebContext,
    /// The channel's address: what it gets of the cookies is the channel's.
    url: String,
    /// What else is asked for by the session.
    also: Vec<String>,
}

impl View {
    /// Opens the start page of a sign-in.
    pub(crate) fn open(page: &SignInPage, language: &str, seen: impl Fn(Seen) + 'static) -> Self {
        let context = context();
        context.set_cache_model(CacheModel::DocumentViewer);
        context.set_preferred_languages(&[language]);
        let seen: Rc<dyn Fn(Seen)> = Rc::new(seen);
        if let Some(data) = context.website_data_manager() {
            data.set_persistent_credential_storage_enabled(false);
            if let Some(proxy) = &page.proxy {
                // Names are looked up by the proxy in either case.
                let proxy = proxy.replacen("socks5h://", "socks5://", 1);
                let direct: Vec<&str> = page.direct.iter().map(String::as_str).collect();
                let mut settings = NetworkProxySettings::new(Some(&proxy), &direct);
                data.set_network_proxy_settings(NetworkProxyMode::Custom, Some(&mut settings));
            }
        }
        let told = seen.clone();
        context.connect_download_started(move |_, download| {
            download.cancel();
            told(Seen::Denied(Denied::Download));
        });
        if let Some(cookies) = context.cookie_manager() {
            let told = seen.clone();
            cookies.connect_changed(move |_| told(Seen::Stirred));
        }

        let content = UserContentManager::new();
        content.add_script(&UserScript::new(
            include_str!("blocked.js"),
            UserContentInjectedFrames::AllFrames,
            UserScriptInjectionTime::Start,
            &[],
            &[],
        ));
        let web = WebView::builder().web_context(&context).user_content_manager(&content).build();
        harden(&web);
        refuse(&web, &page.url, &seen);
        trust(&web, &context, page, &seen);
        tell(&web, &seen);
        web.load_uri(&page.sign_in);
        Self(Eyes { web, context, url: page.url.clone(), also: page.also.clone() })
    }

    /// The widget.
    pub(crate) fn widget(&self) -> &WebView {
        &self.0.web
    }

    /// What looks into it.
    pub(crate) fn eyes(&self) -> Eyes {
        self.0.clone()
    }

    /// The page that stands there, as far as it may be shown and kept: no password, query or fragment, nor what servers
    /// write behind a semicolon (`;jsessionid=…`).
    pub(crate) fn page(&self) -> Option<Url> {
        let mut url = Url::parse(self.0.web.uri()?.as_str()).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        // They fail on addresses without a host, which have neither.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let path = url.path().split('/').map(|part| part.split(';').next().unwrap_or_default());
        let path = path.collect::<Vec<_>>().join("/");
        url.set_path(&path);
        Some(url)
    }

    /// HTTP status of the page; 0 where there is none.
    pub(crate) fn status(&self) -> u32 {
        self.0
            .web
            .main_resource()
            .and_then(|page| page.response())
            .map_or(0, |response| response.status_code())
    }

    /// Whether something of the page is still to come.
    pub(crate) fn is_loading(&self) -> bool {
        self.0.web.is_loading()
    }
}

impl Eyes {
    /// Which secret the page asks for, and the cookies that the channel's address would get.
    pub(crate) async fn look(&self) -> Option<(Asks, Vec<Cookie>)> {
        let (sender, asks) = tokio::sync::oneshot::channel();
        let none = None::<&gtk::gio::Cancellable>;
        self.web.evaluate_javascript(include_str!("asks.js"), Some(WORLD), None, none, |answer| {
            let answer = answer.ok().map(|answer| answer.to_str());
            // Whoever asked may have gone.
            let _ = sender.send(match answer.as_deref() {
                Some("password") => Some(Asks::Password),
                Some("code") => Some(Asks::Code),
                Some("nothing") => Some(Asks::Nothing),
                _ => None,
            });
        });
        // None where the page is just going.
        let asks = asks.await.ok().flatten()?;
        Some((asks, self.cookies().await))
    }

    /// The cookies that the channel's address would get.
    pub(crate) async fn cookies(&self) -> Vec<Cookie> {
        self.cookies_of(&self.url).await
    }

    /// Those, and the ones that the other addresses of the session would get.
    pub(crate) async fn all_cookies(&self) -> Vec<Cookie> {
        let mut cookies = self.cookies().await;
        for url in &self.also {
            for cookie in self.cookies_of(url).await {
                if !cookies.contains(&cookie) {
                    cookies.push(cookie);
                }
            }
        }
        cookies
    }

    async fn cookies_of(&self, url: &str) -> Vec<Cookie> {
        let Some(manager) = self.context.cookie_manager() else { return Vec::new() };
        let (sender, cookies) = tokio::sync::oneshot::channel();
        let none = None::<&gtk::gio::Cancellable>;
        manager.cookies(url, none, |answer| {
            let _ = sender.send(answer.unwrap_or_default());
        });
        let cookies = cookies.await.unwrap_or_default().into_iter();
        let cookies = cookies.filter_map(|mut cookie| {
            let expires = cookie.expires().and_then(|time| jiff::Timestamp::from_second(time.to_unix()).ok());
            Some(Cookie {
                name: cookie.name()?.to_string(),
                value: cookie.value()?.to_string(),
                domain: cookie.domain()?.to_string(),
                path: cookie.path()?.to_string(),
                expires,
                secure: cookie.is_secure(),
                http_only: cookie.is_http_only(),
            })
        });
        cookies.collect()
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let web = &self.0.web;
        if let Some(place) = web.parent().and_then(|place| place.downcast::<gtk::Container>().ok()) {
            place.remove(web);
        }
        // Its page's links end now, and not when the last who looked into it is done.
        web.terminate_web_process();
    }
}

/// Private: nothing is on disk, and nothing of it outlives it. A page that takes too much memory ends.
fn context() -> WebContext {
    let mut memory = MemoryPressureSettings::new();
    memory.set_memory_limit(MEMORY);
    memory.set_kill_threshold(1.0);
    memory.set_poll_interval(LOOK.as_secs_f64());
    WebContext::builder()
        .website_data_manager(&WebsiteDataManager::new_ephemeral())
        .memory_pressure_settings(&memory)
        .build()
}

/// Takes away what signing in needs not.
fn harden(web: &WebView) {
    let Some(settings) = webkit2gtk::WebViewExt::settings(web) else { return };
    settings.set_enable_developer_extras(false);
    settings.set_enable_fullscreen(false);
    settings.set_enable_webgl(false);
    settings.set_enable_webaudio(false);
    settings.set_enable_media(false);
    settings.set_enable_media_stream(false);
    settings.set_enable_page_cache(false);
    settings.set_enable_dns_prefetching(false);
    settings.set_enable_back_forward_navigation_gestures(false);
    settings.set_javascript_can_open_windows_automatically(false);
    settings.set_javascript_can_access_clipboard(false);
}

/// Whether the view shows such an address.
fn shown(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| match url.scheme() {
        "http" | "https" => true,
        // What frames begin with.
        "about" => matches!(url.path(), "blank" | "srcdoc"),
        _ => false,
    })
}

/// Whether this is the address of the channel, `ws` or `wss`, as a page would have it.
fn is_channel(address: &str, channel: &str) -> bool {
    let (Ok(address), Ok(channel)) = (Url::parse(address), Url::parse(channel)) else { return false };
    let place = |url: &Url| {
        let encrypted = matches!(url.scheme(), "https" | "wss");
        (encrypted, url.host_str().map(str::to_owned), url.port_or_known_default(), url.path().to_owned())
    };
    place(&address) == place(&channel)
}

fn refuse(web: &WebView, channel: &str, seen: &Rc<dyn Fn(Seen)>) {
    let (told, channel) = (seen.clone(), channel.to_owned());
    web.connect_decide_policy(move |_, decision, kind| match kind {
        PolicyDecisionType::NavigationAction => {
            let mut action = decision
                .downcast_ref::<NavigationPolicyDecision>()
                .and_then(NavigationPolicyDecision::navigation_action);
            let request = action.as_ref().and_then(NavigationAction::request);
            let address = request.as_ref().and_then(webkit2gtk::URIRequestExt::uri).unwrap_or_default();
            if !shown(&address) {
                decision.ignore();
                told(Seen::Denied(Denied::Scheme));
                return true;
            }
            // Servers may remember that somebody wanted the channel before he was in, and open a link now, to the view.
            if action.as_mut().is_some_and(NavigationAction::is_redirect) && is_channel(&address, &channel) {
                decision.ignore();
                told(Seen::Channel);
                return true;
            }
            if request.and_then(|request| request.http_method()).is_some_and(|method| method == "POST") {
                told(Seen::Posted { form: true });
            }
            false
        }
        PolicyDecisionType::NewWindowAction => {
            decision.ignore();
            told(Seen::Denied(Denied::Window));
            true
        }
        PolicyDecisionType::Response => {
            let response = decision.downcast_ref::<ResponsePolicyDecision>();
            let answer = response.and_then(webkit2gtk::ResponsePolicyDecisionExt::response);
            if answer.is_some_and(|answer| answer.content_length() > LARGE) {
                decision.ignore();
                told(Seen::Failed(Failure::Large));
                return true;
            }
            if response.is_some_and(|response| !response.is_mime_type_supported()) {
                decision.ignore();
                told(Seen::Denied(Denied::Download));
                return true;
            }
            false
        }
        _ => {
            decision.ignore();
            true
        }
    });
    let told = seen.clone();
    web.connect_create(move |_, _| {
        told(Seen::Denied(Denied::Window));
        None
    });
    web.connect_permission_request(|_, request| {
        request.deny();
        true
    });
    web.connect_run_file_chooser(|_, request| {
        request.cancel();
        true
    });
    web.connect_print(|_, _| true);
    web.connect_enter_fullscreen(|_| true);
    web.connect_show_notification(|_, _| true);
    // What stays of the menu does nothing but edit.
    web.connect_context_menu(|_, menu, _, _| {
        for item in menu.items() {
            let edits = matches!(
                item.stock_action(),
                ContextMenuAction::Copy
                    | ContextMenuAction::Cut
                    | ContextMenuAction::Paste
                    | ContextMenuAction::SelectAll
            );
            if !edits {
                menu.remove(&item);
            }
        }
        menu.n_items() == 0
    });
}

/// Certificates: what the channel's `ca_file` stands for is let in, for that host alone.
fn trust(web: &WebView, context: &WebContext, page: &SignInPage, seen: &Rc<dyn Fn(Seen)>) {
    let (context, ca_file, told) = (context.clone(), page.ca_file.clone(), seen.clone());
    web.connect_load_failed_with_tls_errors(move |web, address, certificate, _| {
        let host = Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned));
        match (host, &ca_file) {
            (Some(host), Some(file)) if trusted(Path::new(file), certificate, &host) => {
                context.allow_tls_certificate_for_host(certificate, &host);
                web.load_uri(address);
            }
            _ => told(Seen::Failed(Failure::Certificate)),
        }
        true
    });
    // The view has none, and goes on without: the server says what it thinks of that.
    let told = seen.clone();
    web.connect_authenticate(move |_, request| {
        let certificate = matches!(
            request.scheme(),
            AuthenticationScheme::ClientCertificateRequested
                | AuthenticationScheme::ClientCertificatePinRequested
        );
        if certificate {
            told(Seen::Denied(Denied::Certificate));
        }
        false
    });
}

/// Tells what happens.
fn tell(web: &WebView, seen: &Rc<dyn Fn(Seen)>) {
    let told = seen.clone();
    web.connect_load_changed(move |_, event| match event {
        LoadEvent::Committed => told(Seen::Page),
        LoadEvent::Finished => told(Seen::Finished),
        LoadEvent::Started | LoadEvent::Redirected | _ => {}
    });
    let told = seen.clone();
    web.connect_load_failed(move |_, _, _, error| {
        // Broken off by another page, or by us.
        let broken_off = error.matches(webkit2gtk::NetworkError::Cancelled)
            || error.kind::<webkit2gtk::PolicyError>().is_some();
        if !broken_off {
            told(Seen::Failed(Failure::Unreachable));
        }
        // The library's own page says it in words of its own.
        true
    });
    let told = seen.clone();
    web.connect_web_process_terminated(move |_, reason| match reason {
        WebProcessTerminationReason::TerminatedByApi => {}
        WebProcessTerminationReason::ExceededMemoryLimit => told(Seen::Failed(Failure::Large)),
        WebProcessTerminationReason::Crashed | _ => told(Seen::Failed(Failure::Crashed)),
    });
    // An app in one page goes on without another.
    let told = seen.clone();
    web.connect_uri_notify(move |_| told(Seen::Stirred));
    let told = seen.clone();
    web.connect_resource_load_started(move |_, resource, request| {
        if request.http_method().is_some_and(|method| method == "POST") {
            told(Seen::Posted { form: false });
        }
        let finished = told.clone();
        resource.connect_finished(move |_| finished(Seen::Stirred));
    });
    let told = seen.clone();
    web.connect_key_press_event(move |_, _| {
        told(Seen::Touched);
        Propagation::Proceed
    });
    let told = seen.clone();
    web.connect_button_press_event(move |_, _| {
        told(Seen::Touched);
        Propagation::Proceed
    });
}

#[cfg(test)]
mod tests {
    use super::{is_channel, shown};

    #[test]
    fn the_channel_is_known_by_its_place() {
        let channel = "wss://shop.example/ws/user-channel";
        assert!(is_channel("https://shop.example/ws/user-channel", channel));
        assert!(is_channel("https://shop.example:443/ws/user-channel?a=1#b", channel));
        for other in [
            "http://shop.example/ws/user-channel",
            "https://shop.example/ws",
            "https://id.example/ws/user-channel",
            "https://shop.example:8443/ws/user-channel",
        ] {
            assert!(!is_channel(other, channel), "{other}");
        }
    }

    #[test]
    fn pages_of_the_web_are_shown_and_nothing_else() {
        for address in ["https://shop.example/", "http://127.0.0.1:8080/a", "about:blank", "about:srcdoc"] {
            assert!(shown(address), "{address}");
        }
        for address in [
            "file:///etc/passwd",
            "tauri://localhost/",
            "ipc://localhost/act",
            "data:text/html,x",
            "blob:https://a/b",
        ] {
            assert!(!shown(address), "{address}");
        }
        for address in
            ["javascript:1", "about:config", "mailto:a@b", "webkit://gpu", "resource:///a", "ftp://a/", ""]
        {
            assert!(!shown(address), "{address}");
        }
    }
}
