//! Bytes to messages, stored before they are shown.
