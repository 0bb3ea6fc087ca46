//! `tidings export` and `tidings import`: channels on their way to another machine, as TOML without secrets.
//!
//! An import merges by id through the same door as the window's edits: the agent's where one runs, so that both can't
//! write at once. What is there already is never changed unless it is asked for, and all is said.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use tidings_api::client::{Client, ClientError};
use tidings_api::{ChannelValues, Edit, Reply, Request, SettingsReport, Values};
use tidings_ground::file::write_new;
use tidings_ground::paths::Paths;
use tidings_ground::reason::{self, Failed};
use tidings_ground::terminal::{print, tell, usage};
use tidings_settings::{Look, SettingsFile};
use tidings_words::{Text, Words};

/// `tidings export`.
pub(crate) async fn export(paths: &Paths, file: Option<&Path>, words: Words) -> anyhow::Result<ExitCode> {
    let report = report_of(&paths.settings, words).await;
    if let Some(error) = report.error {
        return Ok(usage(&error));
    }
    if report.channels.is_empty() {
        return Ok(usage(&words.transfer_none(&tidings_ground::paths::short(&paths.settings).display())));
    }
    let channels: Vec<Values> = report.channels.into_iter().map(with_id).collect();
    let text = toml::to_string(&json!({ "channel": channels }))?;
    let Some(file) = file else {
        print(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    };
    let written = write_new(file, text.as_bytes());
    written.map_err(|why| Failed(Text::cli_not_written(&file.display(), &reason::of_io(&why))))?;
    print(&file.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// `tidings import`; `replace`: also what is there already and differs.
pub(crate) async fn import(
    paths: &Paths,
    file: &Path,
    replace: bool,
    words: Words,
) -> anyhow::Result<ExitCode> {
    std::fs::metadata(file)
        .map_err(|why| Failed(Text::cli_not_read(&file.display(), &reason::of_io(&why))))?;
    let new = report_of(file, words).await;
    if let Some(error) = new.error {
        return Ok(usage(&error));
    }
    if new.channels.is_empty() {
        return Ok(usage(&words.transfer_none(&file.display())));
    }
    let own = settings_file(&paths.settings);
    let mut agent = match Client::connect(&paths.socket()).await {
        Ok(agent) => Some(agent),
        Err(ClientError::NotRunning) => None,
        Err(error) => return Err(error.into()),
    };
    let present = match &mut agent {
        Some(agent) => report(agent.ask_in_time(&Request::Settings).await?)?,
        None => own.report(words).await,
    };
    if let Some(error) = present.error {
        return Ok(usage(&error));
    }
    let Merge { edits, told } = merge(&present.channels, new.channels, replace, words);
    if !edits.is_empty() {
        let revision = present.revision;
        match &mut agent {
            Some(agent) => {
                agent.ask_in_time(&Request::EditSettings { revision, edits }).await?;
            }
            None => {
                own.edit(&revision, edits, words).await.map_err(ClientError::from)?;
            }
        }
    }
    tell(&told.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn settings_file(file: &Path) -> SettingsFile {
    // Nobody watches for us.
    SettingsFile::new(file.to_owned(), Look::new().0)
}

async fn report_of(file: &Path, words: Words) -> SettingsReport {
    settings_file(file).report(words).await
}

fn report(reply: Reply) -> anyhow::Result<SettingsReport> {
    let Reply::Settings(report) = reply else { anyhow::bail!("the running Tidings told no settings") };
    Ok(report)
}

/// Its id hangs on nothing but itself from then on.
fn with_id(ChannelValues { id, mut values, .. }: ChannelValues) -> Values {
    values.insert("id".to_owned(), id.into());
    values
}

/// What an import does, and the words for it.
#[derive(Debug, PartialEq)]
struct Merge {
    edits: Vec<Edit>,
    told: Vec<String>,
}

fn merge(present: &[ChannelValues], new: Vec<ChannelValues>, replace: bool, words: Words) -> Merge {
    let mut merge = Merge { edits: Vec::new(), told: Vec::new() };
    let mut added = false;
    for channel in new {
        let id = channel.id.clone();
        let Some(old) = present.iter().find(|old| old.id == id) else {
            added = true;
            merge.told.push(words.transfer_added(&id));
            merge.edits.push(Edit::AddChannel { values: with_id(channel), secret: None });
            continue;
        };
        let (old, new) = (&old.values, &channel.values);
        let mut keys: Vec<&String> = new.keys().chain(old.keys()).filter(|key| *key != "id").collect();
        keys.sort();
        keys.dedup();
        keys.retain(|key| old.get(*key) != new.get(*key));
        let list = keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", ");
        merge.told.push(match (keys.is_empty(), replace) {
            (true, _) => words.transfer_same(&id),
            (false, false) => words.transfer_differs(&id, &list),
            (false, true) => words.transfer_changed(&id, &list),
        });
        if replace {
            merge.edits.extend(keys.into_iter().map(|key| Edit::Set {
                channel: Some(id.clone()),
                key: key.clone(),
                value: new.get(key).cloned().unwrap_or(Value::Null),
            }));
        }
    }
    if added {
        merge.told.push(words.transfer_secrets());
    }
    merge
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(id: &str, values: &Value) -> ChannelValues {
        let values = values.as_object().cloned().unwrap();
        ChannelValues { id: id.to_owned(), values, has_secret: None }
    }

    #[test]
    fn what_is_there_is_changed_only_if_asked_for() {
        let present = [
            channel("a", &json!({ "url": "wss://a/", "id": "a" })),
            channel("b", &json!({ "url": "wss://b/", "show": "title" })),
        ];
        let new = || {
            vec![
                channel("a", &json!({ "url": "wss://a/" })),
                channel("b", &json!({ "url": "wss://other/" })),
                channel("c", &json!({ "url": "wss://c/" })),
            ]
        };
        let Merge { edits, told } = merge(&present, new(), false, Words::default());
        let values = json!({ "url": "wss://c/", "id": "c" }).as_object().cloned().unwrap();
        let add = Edit::AddChannel { values, secret: None };
        assert_eq!(edits, std::slice::from_ref(&add));
        assert_eq!(told.len(), 4);
        assert!(told[1].contains("show, url"), "{told:?}");

        let set = |key: &str, value| Edit::Set { channel: Some("b".to_owned()), key: key.to_owned(), value };
        let Merge { edits, .. } = merge(&present, new(), true, Words::default());
        assert_eq!(edits, [set("show", Value::Null), set("url", "wss://other/".into()), add]);
    }
}
