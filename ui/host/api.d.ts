// What the agent says to the page. Made from the crate tidings-api: UPDATE=1 cargo test -p tidings-api

export type StatusReport = { 
/**
 * Version of the agent.
 */
version: string, 
/**
 * The language in force: `en` or `zh-CN`.
 */
language: string, 
/**
 * The window's theme: `auto`, `light` or `dark`.
 */
theme: string, 
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
 * What is spoken with the server.
 */
kind: ChannelKind, 
/**
 * What carries its messages.
 */
carrier: CarrierName, 
/**
 * Its topics, where it is of ntfy.
 */
topics?: Array<string>, 
/**
 * Whether messages can be sent by it.
 */
sends: boolean, 
/**
 * What it is doing.
 */
state: StateName, 
/**
 * How far a dial is, or what the server has yet to take; while connecting alone.
 */
stage?: StageName, 
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
 * Whether the server answers pings; `false`: a dead link can't be told from a silent one. `null` until it is known.
 */
answers_pings: boolean | null, 
/**
 * Topics that this user may not read, as the server says; absent where there are none.
 */
left_out?: Array<string>, 
/**
 * Silent links are known to be ended by the server or on the way, and this one is kept awake. `null` where none is.
 */
idle_limit: IdleLimit | null, 
/**
 * The carrier that is preferred and didn't get through; absent where that is in use.
 */
instead_of?: InsteadOf, 
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
unread: number, 
/**
 * How its sign-in does, at a web app or an OAuth provider; absent where it has its secret in another way.
 */
session?: SessionReport, 
/**
 * Whether all that was missed is here, while connected to a server that tells (`tidings.v1`); absent until it has.
 */
caught_up?: CaughtUp, 
/**
 * What came since the agent's start and is no message; absent while there was nothing of it.
 */
dropped?: Dropped, 
/**
 * It is the demo's channel, which stands in no settings file.
 */
demo: boolean, };

export type Dropped = { 
/**
 * Messages that the server sent again after a reconnect, and that were here already.
 */
repeated: number, 
/**
 * Protocol noise: what the channel ignores.
 */
ignored: number, };

export type ChannelKind = "recipe" | "ntfy" | "gotify" | "dialogue" | "sse" | "mqtt";

export type CarrierName = "websocket" | "sse" | "json-lines" | "mqtt" | "sockjs" | "sockjs-streaming" | "sockjs-polling";

export type StateName = "disconnected" | "connecting" | "connected" | "waiting" | "replaced" | "needs_user";

export type StageName = "credential" | "lookup" | "tcp" | "tls" | "upgrade" | "sign_in" | "subscribe";

export type Close = { 
/**
 * Close code (RFC 6455, section 7.4); 1005 when the frame had none.
 */
code: number, 
/**
 * Reason given by who closed.
 */
reason: string, };

export type IdleLimit = { 
/**
 * A silent link is ended after so many seconds.
 */
after_s: number, 
/**
 * The silence is broken every so many seconds.
 */
kept_awake_s: number, };

export type InsteadOf = { 
/**
 * Which.
 */
carrier: CarrierName, 
/**
 * How often it failed in a row; 0: that was before the agent started.
 */
failed: number, 
/**
 * Why, the last time.
 */
cause?: string, };

export type SessionReport = { 
/**
 * The page that the sign-in begins on, or the provider.
 */
sign_in: string, 
/**
 * Which setting gives the session, such as `token_command`; absent where the user signs in.
 */
given_by?: string, 
/**
 * Who keeps the cookies or tokens; absent while there are none.
 */
kept?: SessionKept, 
/**
 * The provider is none, or doesn't want Tidings: who signs in gets nothing by that.
 */
in_vain?: boolean, 
/**
 * The shortest time after which the site was seen to end a session that asked for no page, seconds; `null` until that
 * was seen.
 */
life_s: number | null, 
/**
 * A page is asked for every so many seconds, so that the session lives on; `null` where it isn't.
 */
kept_alive_s: number | null, 
/**
 * When the session was last seen to live.
 */
alive_at: string | null, };

export type SessionKept = "keyring" | "memory" | "settings";

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
 * What its Markdown says; absent where the body is shown as it was sent.
 */
rich?: Rich, 
/**
 * Name of the channel.
 */
channel: string, 
/**
 * The server's id for it, if it gave one.
 */
id: string | null, 
/**
 * What the server says it is about, where the channel has topics.
 */
topic?: string, 
/**
 * The name of the application that it is of, where the server has such and told it.
 */
app?: string, 
/**
 * Title; the channel's name where the message has none.
 */
title: string, 
/**
 * Body, as it was sent.
 */
body: string, 
/**
 * How the body is written; absent where it is plain text.
 */
format?: Format, 
/**
 * 1 (lowest) to 5 (highest), 3 is normal.
 */
priority: number, 
/**
 * Link that a click opens.
 */
url: string | null, 
/**
 * Its buttons; absent where there are none.
 */
actions?: Array<MessageAction>, 
/**
 * Files that go with it; absent where there are none.
 */
attachments?: Array<Attachment>, 
/**
 * Words that it was given beside its text; absent where there are none.
 */
tags?: Array<string>, 
/**
 * When its last byte was read.
 */
received_at: string, 
/**
 * What the server sent, untouched but for what its buttons send, which is nobody's business.
 */
raw: Raw, 
/**
 * What it shows; absent where there is none.
 */
picture?: string, 
/**
 * What it is of; absent where there is none.
 */
icon?: string, };

export type Pictures = { 
/**
 * What it shows; absent where there is none.
 */
picture?: string, 
/**
 * What it is of; absent where there is none.
 */
icon?: string, };

export type Raw = string | { 
/**
 * The bytes in standard base64 with padding (RFC 4648, section 4).
 */
base64: string, };

export type Format = "plain" | "markdown";

export type Rich = { 
/**
 * The same as plain text, for reading and copying.
 */
text: string, 
/**
 * From top to bottom.
 */
blocks: Array<Block>, 
/**
 * Where its links lead: `http`, `https` or `mailto`. [`Span::link`] counts them from 0.
 */
links: Array<string>, };

export type Block = { "block": "paragraph", 
/**
 * Its text.
 */
spans: Array<Span>, } | { "block": "heading", 
/**
 * 1 to 6.
 */
level: number, 
/**
 * Its text.
 */
spans: Array<Span>, } | { "block": "code", 
/**
 * All of it.
 */
text: string, } | { "block": "quote", 
/**
 * From top to bottom.
 */
blocks: Array<Block>, } | { "block": "list", 
/**
 * The number of its first item; `null`: they have no numbers.
 */
start: number | null, 
/**
 * Each from top to bottom.
 */
items: Array<Array<Block>>, } | { "block": "rule" };

export type Span = { 
/**
 * Never empty.
 */
text: string, 
/**
 * Strong.
 */
bold?: boolean, 
/**
 * Emphasised.
 */
italic?: boolean, 
/**
 * Struck out.
 */
struck?: boolean, 
/**
 * Code.
 */
code?: boolean, 
/**
 * What is said in place of a picture, which nobody fetches.
 */
image?: boolean, 
/**
 * The number of the link that it is a part of.
 */
link?: number, };

export type Event = { "type": "snapshot" } & StatusReport | { "type": "state" } & ChannelReport | { "type": "message" } & StoredMessage | { "type": "gone", 
/**
 * Their rows.
 */
messages: Array<number>, } | { "type": "read", 
/**
 * Their rows.
 */
messages: Array<number>, } | { "type": "pictures", 
/**
 * The message's row.
 */
message: number, 
/**
 * The name of the application that it is of, where it is known.
 */
app: string | null, 
/**
 * What it shows; absent where there is none.
 */
picture?: string, 
/**
 * What it is of; absent where there is none.
 */
icon?: string, } | { "type": "raise", 
/**
 * The desktop's permission to take the focus (XDG activation), where it handed one over.
 */
activation_token: string | null, 
/**
 * The row of the message to show.
 */
message: number | null, 
/**
 * Show the page that adds a channel, with this address. Nothing is asked of its server before the user says so.
 */
add: string | null, };

export type Action = "connect" | "disconnect" | "reconnect_now" | "take_over";

export type Refusal = { 
/**
 * For programs.
 */
code: ErrorCode, 
/**
 * For people: what, where and how to mend.
 */
message: string, 
/**
 * The key of the settings that it is about, such as `url` or `heartbeat.interval`, where there is one.
 */
key: string | null, };

export type ErrorCode = "bad_request" | "other_version" | "unknown_channel" | "unknown_message" | "not_sent" | "window_open" | "invalid_settings" | "settings_changed" | "settings_file" | "keyring" | "no_session" | "not_signed_in" | "no_sample" | "demo" | "cannot_send" | "busy" | "ending";

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
message: number, 
/**
 * Which of the links in its Markdown, counted from 0; absent: the message's own.
 */
link?: number, } | { "do": "run_action", 
/**
 * The message's row.
 */
message: number, 
/**
 * Which of its buttons, counted from 0.
 */
action: number, } | { "do": "open_file", 
/**
 * The message's row.
 */
message: number, 
/**
 * Which of its files, counted from 0.
 */
file: number, } | { "do": "mark_read", 
/**
 * Their rows.
 */
messages: Array<number>, } | { "do": "restart_agent" } | { "do": "quit" } | { "do": "mark_all_read", 
/**
 * Id: only this channel's.
 */
channel: string | null, } | { "do": "delete", 
/**
 * Their rows.
 */
messages: Array<number>, } | { "do": "pause", 
/**
 * When they go on by themselves.
 */
until: string | null, } | { "do": "set_secret", 
/**
 * Id.
 */
channel: string, 
/**
 * `null` removes it.
 */
secret: Secret | null, } | { "do": "send" } & Outgoing | { "do": "sign_in", 
/**
 * Its id.
 */
channel: string, } | { "do": "sign_out", 
/**
 * Its id.
 */
channel: string, } | { "do": "start_demo" } | { "do": "end_demo" };

export type Outgoing = { 
/**
 * Id or name of the channel.
 */
channel: string, 
/**
 * The message.
 */
text: string, 
/**
 * Its title.
 */
title: string | null, 
/**
 * 1 to 5; `None`: whatever is usual there.
 */
priority: number | null, 
/**
 * ntfy's.
 */
tags: Array<string>, 
/**
 * ntfy's, where the channel has several.
 */
topic: string | null, };

export type HistoryQuery = { 
/**
 * Only those stored before this row.
 */
before: number | null, 
/**
 * At most so many; the agent has a limit of its own.
 */
limit: number, 
/**
 * Only those that hold all of these words; a blank text is none.
 */
search: string | null, 
/**
 * Id: only this channel's.
 */
channel: string | null, 
/**
 * Only those that nobody has looked at yet.
 */
unread: boolean, 
/**
 * Only those received at or after this time.
 */
since: string | null, };

export type PageError = { 
/**
 * For the page.
 */
code: PageErrorCode, 
/**
 * For people.
 */
message: string, 
/**
 * The key of the settings that it is about, where there is one.
 */
key: string | null, };

export type PageErrorCode = "agent_gone" | "other_version" | "failed" | ErrorCode;

export type SettingsReport = { 
/**
 * Names this very content of the file.
 */
revision: string, 
/**
 * The file's path, as shown to people.
 */
file: string, 
/**
 * What is wrong with the file. Then the last good settings are in force, `values` are empty, and it has to be
 * mended by hand before it can be edited here.
 */
error: string | null, 
/**
 * What stands in the file but for its channels: `language`, `notifications` and so on.
 */
values: Record<string, any>, 
/**
 * The channels in the order of the file.
 */
channels: Array<ChannelValues>, 
/**
 * What holds where the file says nothing.
 */
defaults: Defaults, 
/**
 * Whether there is a keyring to keep secrets in.
 */
keyring: boolean, 
/**
 * Why `start_at_login` has no effect on this desktop, for people; `null` where it has, or is off.
 */
login_trouble: string | null, 
/**
 * The dialogues that come with Tidings.
 */
presets: Array<PresetReport>, };

export type PresetReport = { 
/**
 * What `preset` calls it.
 */
name: string, 
/**
 * Names that `dialogue.set` has to give, each with an example.
 */
needs: { [key in string]: string }, 
/**
 * Names that `dialogue.set` may give, each with what holds without.
 */
may: { [key in string]: string }, 
/**
 * Its texts say the secret; without that it goes with the upgrade request.
 */
says_secret: boolean, };

export type Defaults = { 
/**
 * Of the file but for its channels.
 */
values: Record<string, any>, 
/**
 * Of one channel.
 */
channel: Record<string, any>, };

export type ChannelValues = { 
/**
 * Its id, also where the file leaves it to follow from the name.
 */
id: string, 
/**
 * What stands in the file.
 */
values: Record<string, any>, 
/**
 * Whether the keyring holds a secret for it; `null` where that can't be told.
 */
has_secret: boolean | null, };

export type Edit = { "edit": "set", 
/**
 * Id of the channel; `null`: the file itself.
 */
channel: string | null, 
/**
 * Its path.
 */
key: string, 
/**
 * `null` removes the key: its default holds.
 */
value: any, } | { "edit": "add_channel", 
/**
 * What stands in its table; `url` must be there.
 */
values: Record<string, any>, 
/**
 * Kept in the keyring before the channel connects.
 */
secret: Secret | null, } | { "edit": "remove_channel", 
/**
 * Id.
 */
channel: string, };

export type Secret = string;

export type Trial = { 
/**
 * Id; `null`: a new one.
 */
channel: string | null, 
/**
 * As they stand in the editor.
 */
values: Record<string, any>, 
/**
 * As it stands in the editor; `null`: the one that is kept already, if any.
 */
secret: Secret | null, };

export type Step = { 
/**
 * Which: `secret`, `name`, `proxy`, `tcp`, `tls`, `upgrade`, `ping` and such.
 */
step: string, 
/**
 * Whether it went well; `null`: neither good nor bad.
 */
ok: boolean | null, 
/**
 * How long it took, in milliseconds.
 */
ms: number | null, 
/**
 * What was found, for people.
 */
detail: string, 
/**
 * What to do about it, for people.
 */
mend: string | null, };

export type Sample = { 
/**
 * Id of the channel whose last message is the sample when `text` is `null`.
 */
channel: string | null, 
/**
 * As they stand in the editor.
 */
values: Record<string, any>, 
/**
 * A message's text.
 */
text: string | null, };

export type Pasted = { 
/**
 * As it was typed or pasted.
 */
address: string, 
/**
 * As they stand in the editor.
 */
values: Record<string, any>, };

export type Preview = { 
/**
 * The message as it would be stored.
 */
message: MessageReport, 
/**
 * What its Markdown says; absent where the body is shown as it was sent.
 */
rich?: Rich, 
/**
 * Whether a popup would show it, by the channel's rules.
 */
popup: boolean, 
/**
 * It is protocol noise by `ignore`, and would not become a message at all.
 */
ignored: boolean, 
/**
 * The text that was read.
 */
sample: string, };

export type Previewed = Preview | Rehearsal;

export type Rehearsal = { 
/**
 * The open, and then each frame.
 */
turns: Array<Turn>, };

export type Turn = { 
/**
 * The frame that was heard; `null`: the link has opened.
 */
heard: string | null, 
/**
 * What is said, in this order; the secret is `***`.
 */
said: Array<string>, 
/**
 * Texts that can't be made, as a name in them isn't known here, and aren't said.
 */
unsaid: number, 
/**
 * The messages in it, as they would look.
 */
messages: Array<Preview>, 
/**
 * What it means.
 */
means: Array<Meaning>, 
/**
 * What is told of a refusal; untrusted.
 */
refused: string | null, };

export type Meaning = "noise" | "sign_in" | "subscribe" | "connected" | "caught_up" | "refused" | "replaced" | "ended";

export type MessageReport = { 
/**
 * Name of the channel.
 */
channel: string, 
/**
 * The server's id for it, if it gave one.
 */
id: string | null, 
/**
 * What the server says it is about, where the channel has topics.
 */
topic?: string, 
/**
 * The name of the application that it is of, where the server has such and told it.
 */
app?: string, 
/**
 * Title; the channel's name where the message has none.
 */
title: string, 
/**
 * Body, as it was sent.
 */
body: string, 
/**
 * How the body is written; absent where it is plain text.
 */
format?: Format, 
/**
 * 1 (lowest) to 5 (highest), 3 is normal.
 */
priority: number, 
/**
 * Link that a click opens.
 */
url: string | null, 
/**
 * Its buttons; absent where there are none.
 */
actions?: Array<MessageAction>, 
/**
 * Files that go with it; absent where there are none.
 */
attachments?: Array<Attachment>, 
/**
 * Words that it was given beside its text; absent where there are none.
 */
tags?: Array<string>, 
/**
 * When its last byte was read.
 */
received_at: string, 
/**
 * What the server sent, untouched but for what its buttons send, which is nobody's business.
 */
raw: Raw, };

export type MessageAction = { 
/**
 * What stands on it.
 */
label: string, } & ({ "does": "open", 
/**
 * `http`, `https` or `mailto`.
 */
url: string, } | { "does": "copy", 
/**
 * All of it.
 */
text: string, } | { "does": "send", 
/**
 * As in HTTP.
 */
method: string, 
/**
 * To whom; with `http://` before it where it goes there without encryption.
 */
host: string, });

export type Does = { "does": "open", 
/**
 * `http`, `https` or `mailto`.
 */
url: string, } | { "does": "copy", 
/**
 * All of it.
 */
text: string, } | { "does": "send", 
/**
 * As in HTTP.
 */
method: string, 
/**
 * To whom; with `http://` before it where it goes there without encryption.
 */
host: string, };

export type Attachment = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its media type, if it is known.
 */
media_type: string | null, 
/**
 * Bytes, if they are known.
 */
size: number | null, 
/**
 * Until when it can be had, if that is known.
 */
expires: string | null, 
/**
 * Where: `http` or `https`.
 */
url: string, };

export type Discovery = { 
/**
 * Where it was looked, without what may be a secret.
 */
address: string, 
/**
 * `ntfy`, `gotify`, `tidings-server`, `socket.io`, `sockjs`, `home-assistant`, `mattermost`, `websocket`; `null`: nothing
 * that can be listened to.
 */
found: string | null, 
/**
 * What the server says of its version; untrusted text.
 */
version: string | null, 
/**
 * What was found, or why nothing, for people.
 */
detail: string, 
/**
 * What is still to be done, for people.
 */
mend: string | null, 
/**
 * A `[[channel]]` of the settings file that would listen there; `null` where there is none.
 */
channel: Record<string, any> | null, };

export type HealthReport = { 
/**
 * Id of the channel.
 */
channel: string, 
/**
 * What is told begins here …
 */
from: string, 
/**
 * … and ends here, which is now.
 */
to: string, 
/**
 * The states it was in, without gaps but for the times when Tidings did not run.
 */
bands: Array<Band>, 
/**
 * Round trips of pings, thinned out to what a plot can show.
 */
round_trips: Array<RoundTrip>, 
/**
 * The last links, opened or not.
 */
links: Array<LinkReport>, 
/**
 * When the last heartbeat was sent.
 */
last_heartbeat: string | null, };

export type Band = { 
/**
 * From then …
 */
from: string, 
/**
 * … to then.
 */
to: string, 
/**
 * What it was doing.
 */
state: StateName, 
/**
 * Why it was not connected, in words.
 */
cause: string | null, };

export type RoundTrip = { 
/**
 * When.
 */
at: string, 
/**
 * How long, in milliseconds.
 */
ms: number, };

export type LinkReport = { 
/**
 * When it was opened.
 */
opened: string, 
/**
 * When it ended; `null` while it is up.
 */
ended: string | null, 
/**
 * Why it ended, in words.
 */
cause: string | null, 
/**
 * The close code (RFC 6455, section 7.4), where there was a close frame.
 */
code: number | null, 
/**
 * When the next link was opened; `null` where none was yet.
 */
back: string | null, };
