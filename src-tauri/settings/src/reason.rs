//! What the channel, the inbox and the keyring say of a setting, as messages of ours (see [`tidings_ground::reason`]).

use tidings_channel::{ChannelUrlError, ClientCertError, ProxyUrlError};
use tidings_inbox::Mistake;
use tidings_words::Text;

pub use tidings_ground::reason::{of_bus, of_fdo, of_io, of_toml, of_url};

/// Why a text is no channel's address, and how to mend it.
pub fn of_address(error: &ChannelUrlError) -> Text {
    let example = Text::settings_mend_example(&"wss://example.org/ws/user-channel");
    let mended = |message: Text, mend: Text| Text::settings_error_alone(&mend, &message);
    match error {
        ChannelUrlError::Syntax(why) => Text::address_syntax(&example, &of_url(*why)),
        ChannelUrlError::Scheme(scheme) => Text::address_scheme(scheme),
        ChannelUrlError::NoHost => mended(Text::url_empty_host(), example),
        ChannelUrlError::Port => mended(Text::settings_url_port(), Text::settings_mend_port()),
        ChannelUrlError::Userinfo => mended(Text::settings_url_user(&"url"), Text::settings_mend_secret()),
        ChannelUrlError::MqttPath => mended(Text::settings_url_mqtt_path(), Text::settings_mend_mqtt_path()),
        ChannelUrlError::Fragment => mended(Text::settings_url_fragment(), Text::settings_mend_fragment()),
        ChannelUrlError::Plaintext { host, scheme } => Text::address_plaintext(host, scheme),
    }
}

/// Why a text is no proxy's address, and how to mend it.
pub fn of_proxy(error: &ProxyUrlError) -> Text {
    let mend = Text::settings_mend_proxy();
    match error {
        ProxyUrlError::Syntax(why) => Text::proxy_syntax(&mend, &of_url(*why)),
        ProxyUrlError::Scheme(scheme) => Text::proxy_scheme(scheme),
        ProxyUrlError::NoHost => Text::proxy_no_host(&mend),
        ProxyUrlError::Userinfo => Text::proxy_user(),
    }
}

/// Why a client certificate can't be used.
pub fn of_cert(error: &ClientCertError) -> Text {
    match error {
        ClientCertError::NoCertificate => Text::cert_none(),
        ClientCertError::NoKey => Text::cert_no_key(),
        ClientCertError::Unusable => Text::cert_unusable(),
    }
}

/// What is wrong in a template or condition.
pub fn of_mistake(mistake: &Mistake) -> Text {
    match mistake {
        Mistake::Unfinished => Text::expression_unfinished(),
        Mistake::Unexpected(Some(piece)) => Text::expression_unexpected(&format_args!("`{piece}`")),
        Mistake::Unexpected(None) => Text::expression_misplaced(),
        Mistake::Unknown => Text::expression_unknown(),
        Mistake::Other => Text::expression_other(),
    }
}

/// What the keyring's library says.
pub fn of_keyring(error: &secret_service::Error) -> Text {
    use secret_service::Error;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the errors are not ours, and grow")]
    match error {
        Error::Zbus(error) => of_bus(error),
        Error::ZbusFdo(error) => of_fdo(error),
        Error::Prompt => Text::keyring_dismissed(),
        Error::PromptDisconnected => Text::bus_broken(),
        Error::NoResult => Text::keyring_gone(),
        Error::Locked => Text::bus_refused(),
        Error::Unavailable => Text::bus_nobody(),
        _ => Text::bus_odd(),
    }
}

#[cfg(test)]
mod tests {
    use tidings_words::{Language, Words};

    use super::*;

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    #[test]
    fn an_address_that_is_none_is_told_in_words_of_ours() {
        let url = |text: &str| of_address(&tidings_channel::ChannelUrl::parse(text, false).expect_err(text));
        let proxy = |text: &str| of_proxy(&tidings_channel::ProxyUrl::parse(text).expect_err(text));
        for (told, expected) in [
            (
                url("shop.example"),
                "this is not a URL: it does not begin with a scheme; write for example \
                 wss://example.org/ws/user-channel",
            ),
            (
                url("wss://a.example:99999/"),
                "this is not a URL: the port is not a number up to 65535; write for example \
                 wss://example.org/ws/user-channel",
            ),
            (url("ftp://a.example"), "ftp:// can't carry a channel; write wss:// (or ws:// on this machine)"),
            (
                proxy("socks5://:99999"),
                "the proxy's address is not a URL: the host is missing; write it as \"socks5://host:1080\" or \
                 \"http://host:3128\"",
            ),
        ] {
            assert_eq!(told.to_string(), expected);
            assert!(is_chinese(&told.said(Words::of(Language::SimplifiedChinese))));
        }
        for text in [
            "wss://",
            "wss://[::1",
            "wss://1.2.3.4.5",
            "wss://a b",
            "wss://a:x",
            "wss:",
            "//a",
            "",
            "wss://xn--a",
            "wss://%00",
            "wss://a@b.example",
            "wss://b.example/#x",
            "ws://b.example",
            "wss://b.example:0",
        ] {
            let Err(error) = tidings_channel::ChannelUrl::parse(text, false) else { continue };
            let told = of_address(&error).to_string();
            if let ChannelUrlError::Syntax(error) = error {
                assert!(!told.contains(&error.to_string()), "{text}: {told}");
            }
        }
    }

    #[test]
    fn no_word_of_the_keyrings_library_is_told() {
        assert_eq!(of_keyring(&secret_service::Error::Crypto("library words")), Text::bus_odd());
    }
}
