//! SockJS: the frames by which a server speaks to pages that may have no WebSocket, over whatever carries them.

pub(crate) mod beats;
pub(crate) mod framed;
pub(crate) mod frames;
pub(crate) mod heard;
pub(crate) mod posts;
