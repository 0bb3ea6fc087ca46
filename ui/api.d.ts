// What the agent says to the page. Made from the crate tidings-api: UPDATE=1 cargo test -p tidings-api

export type StatusReport = { 
/**
 * Version of the agent.
 */
version: string, 
/**
 * Popups are held back until then; `null` when they aren't. The far end of time means: until resumed.
 */
paused_until: string | null, 
/**
 * Unread messages in all channels.
 */
unread: number, 
/**
 * What the user should know and mend, such as an error in the settings file. Empty when all is well.
 */
notices: Array<string>, 
/**
 * The channels in the order of the settings file.
 */
channels: Array<ChannelReport>, };

export type ChannelReport = { 
/**
 * Stable id, what commands may name the channel by beside its name.
 */
id: string, 
/**
 * Name shown.
 */
name: string, 
/**
 * Address, the values of its query left out.
 */
url: string, 
/**
 * What it is doing.
 */
state: StateName, 
/**
 * Since when it is in that state.
 */
since: string, 
/**
 * Dials since the last stable link; 0 when none is needed.
 */
attempt: number, 
/**
 * When the next dial starts by itself.
 */
retry_at: string | null, 
/**
 * Why it is not connected, in words.
 */
cause: string | null, 
/**
 * The last close frame.
 */
last_close: Close | null, 
/**
 * Last measured round trip of a ping, in milliseconds.
 */
rtt_ms: number | null, 
/**
 * When the peer was last heard.
 */
last_inbound: string | null, 
/**
 * Links opened since the agent's start.
 */
links_opened: number, 
/**
 * Unread messages of this channel.
 */
unread: number, };

export type StateName = "disconnected" | "connecting" | "connected" | "waiting" | "replaced" | "needs_user";

export type Close = { 
/**
 * Close code (RFC 6455, section 7.4); 1005 when the frame had none.
 */
code: number, 
/**
 * Reason given by who closed.
 */
reason: string, };

export type StoredMessage = { 
/**
 * Its place; higher came later.
 */
row: number, 
/**
 * Whether nobody has looked at it yet.
 */
unread: boolean, 
/**
 * Name of the channel.
 */
channel: string, 
/**
 * The server's id for it, if it gave one.
 */
id: string | null, 
/**
 * Title; the channel's name where the message has none.
 */
title: string, 
/**
 * Body.
 */
body: string, 
/**
 * 1 (lowest) to 5 (highest), 3 is normal.
 */
priority: number, 
/**
 * Link that a click opens.
 */
url: string | null, 
/**
 * When its last byte was read.
 */
received_at: string, 
/**
 * What the server sent, untouched.
 */
raw: Raw, };

export type Raw = string | { 
/**
 * The bytes in standard base64 with padding (RFC 4648, section 4).
 */
base64: string, };

export type Event = { "type": "snapshot" } & StatusReport | { "type": "state" } & ChannelReport | { "type": "message" } & StoredMessage | { "type": "raise", 
/**
 * The desktop's permission to take the focus (XDG activation), where it handed one over.
 */
activation_token: string | null, 
/**
 * The row of the message to show.
 */
message: number | null, };

export type Action = "connect" | "disconnect" | "reconnect_now" | "take_over";

export type Refusal = { 
/**
 * For programs.
 */
code: ErrorCode, 
/**
 * For people: what, where and how to mend.
 */
message: string, };

export type ErrorCode = "bad_request" | "other_version" | "unknown_channel" | "unknown_message" | "window_open" | "busy" | "ending";

export type PageEvent = AgentLink | Event;

export type AgentLink = { "type": "agent_connected", 
/**
 * Version of the agent.
 */
version: string, 
/**
 * It is another version than the window's: a restart of the agent mends that.
 */
other_version: boolean, } | { "type": "agent_gone", 
/**
 * Why, for people.
 */
message: string, };

export type PageCommand = { "do": "channel", 
/**
 * What.
 */
action: Action, 
/**
 * Its id; `null`: all.
 */
channel: string | null, } | { "do": "open_link", 
/**
 * The message's row.
 */
message: number, } | { "do": "mark_read", 
/**
 * Their rows.
 */
messages: Array<number>, } | { "do": "restart_agent" };

export type HistoryQuery = { 
/**
 * Only those before this row.
 */
before: number | null, 
/**
 * At most so many.
 */
limit: number, };

export type PageError = { 
/**
 * For the page.
 */
code: PageErrorCode, 
/**
 * For people.
 */
message: string, };

export type PageErrorCode = "agent_gone" | "other_version" | "failed" | ErrorCode;
