//! A small user-channel server.
