//! The languages that Tidings speaks, and which of them a person wants.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese in simplified characters.
    SimplifiedChinese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::SimplifiedChinese];

    /// As the settings file and the window's page name it (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::SimplifiedChinese => "zh-CN",
        }
    }

    /// The one of this tag.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The system's, by the environment.
    #[must_use]
    pub fn of_system() -> Self {
        Self::of_environment(|name| std::env::var(name).ok())
    }

    /// The first that we speak of those that the environment asks for, as gettext reads it: `LANGUAGE` is a list of
    /// preferences, and counts where `LC_ALL`, `LC_MESSAGES` or `LANG` names a locale at all. English where none.
    #[must_use]
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        let Some(locale) = locale.filter(|locale| locale != "C" && locale != "POSIX") else {
            return Self::English;
        };
        let preferred = set("LANGUAGE").unwrap_or_default();
        preferred.split(':').chain([locale.as_str()]).find_map(Self::of_locale).unwrap_or_default()
    }

    /// `zh_CN.UTF-8`, `zh_SG@pinyin`, `en_GB`, `zh`. Traditional Chinese is another language.
    fn of_locale(locale: &str) -> Option<Self> {
        let name = locale.split(['.', '@']).next()?;
        let mut parts = name.split(['_', '-']);
        match (parts.next()?.to_ascii_lowercase().as_str(), parts.next()) {
            ("en", _) => Some(Self::English),
            ("zh", Some("TW" | "HK" | "MO" | "Hant")) => None,
            ("zh", _) => Some(Self::SimplifiedChinese),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{self, English, SimplifiedChinese};

    fn of(variables: &[(&str, &str)]) -> Language {
        Language::of_environment(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_systems_language_is_the_first_of_its_preferences_that_we_speak() {
        for (variables, language) in [
            (&[][..], English),
            (&[("LANG", "zh_CN.UTF-8")], SimplifiedChinese),
            (&[("LANG", "zh_SG")], SimplifiedChinese),
            (&[("LANG", "zh")], SimplifiedChinese),
            (&[("LANG", "zh_TW.UTF-8")], English),
            (&[("LANG", "de_DE.UTF-8")], English),
            (&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "en_US.UTF-8")], English),
            (&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], English),
            (&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")], SimplifiedChinese),
            (&[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "zh_CN.UTF-8")], SimplifiedChinese),
            (&[("LANG", "en_US.UTF-8"), ("LANGUAGE", "de:zh_CN:en")], SimplifiedChinese),
            (&[("LANG", "zh_CN.UTF-8"), ("LANGUAGE", "fr")], SimplifiedChinese),
            (&[("LANG", "C"), ("LANGUAGE", "zh_CN")], English),
            (&[("LANGUAGE", "zh_CN")], English),
        ] {
            assert_eq!(of(variables), language, "{variables:?}");
        }
    }

    #[test]
    fn each_language_is_found_by_its_tag() {
        for language in Language::ALL {
            assert_eq!(Language::of_tag(language.tag()), Some(language));
        }
        assert_eq!(Language::of_tag("auto"), None);
    }
}
