//! The types that the window's page sees, written for JavaScript's checkers into `ui/host/api.d.ts`.
//!
//! The file is committed; this test fails when it has fallen behind, and `UPDATE=1 cargo test -p tidings-api`
//! writes it anew.

use std::path::Path;

use ts_rs::{Config, TS};

use crate::page::{AgentLink, PageCommand, PageError, PageErrorCode, PageEvent, Pasted, Sample, Trial};
use crate::{
    Action, Attachment, Band, Block, CarrierName, ChannelKind, ChannelReport, ChannelValues, Close, Defaults,
    Discovery, Does, Dropped, Edit, ErrorCode, Event, Format, HealthReport, HistoryQuery, IdleLimit,
    InsteadOf, LinkReport, Meaning, MessageAction, MessageReport, Outgoing, Pictures, PresetReport, Preview,
    Previewed, Raw, Refusal, Rehearsal, Rich, RoundTrip, Secret, SessionKept, SessionReport, SettingsReport,
    Span, StageName, StateName, StatusReport, Step, StoredMessage, Turn,
};

fn declaration<T: TS>(config: &Config) -> String {
    format!("export {}\n", T::decl(config))
}

#[test]
fn the_pages_types_are_those_of_the_agent() {
    let config = Config::new();
    let declarations = [
        declaration::<StatusReport>(&config),
        declaration::<ChannelReport>(&config),
        declaration::<Dropped>(&config),
        declaration::<ChannelKind>(&config),
        declaration::<CarrierName>(&config),
        declaration::<StateName>(&config),
        declaration::<StageName>(&config),
        declaration::<Close>(&config),
        declaration::<IdleLimit>(&config),
        declaration::<InsteadOf>(&config),
        declaration::<SessionReport>(&config),
        declaration::<SessionKept>(&config),
        declaration::<StoredMessage>(&config),
        declaration::<Pictures>(&config),
        declaration::<Raw>(&config),
        declaration::<Format>(&config),
        declaration::<Rich>(&config),
        declaration::<Block>(&config),
        declaration::<Span>(&config),
        declaration::<Event>(&config),
        declaration::<Action>(&config),
        declaration::<Refusal>(&config),
        declaration::<ErrorCode>(&config),
        declaration::<PageEvent>(&config),
        declaration::<AgentLink>(&config),
        declaration::<PageCommand>(&config),
        declaration::<Outgoing>(&config),
        declaration::<HistoryQuery>(&config),
        declaration::<PageError>(&config),
        declaration::<PageErrorCode>(&config),
        declaration::<SettingsReport>(&config),
        declaration::<PresetReport>(&config),
        declaration::<Defaults>(&config),
        declaration::<ChannelValues>(&config),
        declaration::<Edit>(&config),
        declaration::<Secret>(&config),
        declaration::<Trial>(&config),
        declaration::<Step>(&config),
        declaration::<Sample>(&config),
        declaration::<Pasted>(&config),
        declaration::<Preview>(&config),
        declaration::<Previewed>(&config),
        declaration::<Rehearsal>(&config),
        declaration::<Turn>(&config),
        declaration::<Meaning>(&config),
        declaration::<MessageReport>(&config),
        declaration::<MessageAction>(&config),
        declaration::<Does>(&config),
        declaration::<Attachment>(&config),
        declaration::<Discovery>(&config),
        declaration::<HealthReport>(&config),
        declaration::<Band>(&config),
        declaration::<RoundTrip>(&config),
        declaration::<LinkReport>(&config),
    ];
    let now = format!(
        "// What the agent says to the page. Made from the crate tidings-api: UPDATE=1 cargo test -p tidings-api\n\n{}",
        declarations.join("\n")
    );
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/host/api.d.ts");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == now, "ui/host/api.d.ts is not up to date: UPDATE=1 cargo test -p tidings-api");
}
