//! How large a picture is once it is ours.

/// The box that a picture is made to fit into, in pixels. Smaller ones stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// What a message shows. Too small: nothing is to be seen on it; too large: a photo takes a MiB and more as a PNG.
    Picture,
    /// What a message is of. Twice what is drawn, for sharp screens.
    Icon,
}

impl Size {
    /// Width and height.
    pub(crate) fn pixels(self) -> (u32, u32) {
        match self {
            Self::Picture => (640, 480),
            Self::Icon => (96, 96),
        }
    }

    /// Its word between the two processes.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Icon => "icon",
        }
    }

    pub(crate) fn read(word: &str) -> Option<Self> {
        [Self::Picture, Self::Icon].into_iter().find(|size| size.word() == word)
    }
}
