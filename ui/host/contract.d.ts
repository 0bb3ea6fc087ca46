// What the page asks of its host, and what the host tells. Failures reject with a PageError.

import type {
  Discovery, Edit, HealthReport, HistoryQuery, PageCommand, PageEvent, Pasted, Previewed, Sample, SettingsReport, Step, StoredMessage, Trial,
} from "./api";

export interface Host {
  /** From here on each event is told; first whether the agent is there. */
  subscribe(onEvent: (event: PageEvent) => void): Promise<void>;
  act(command: PageCommand): Promise<void>;
  /** Newest first. */
  history(query: HistoryQuery): Promise<StoredMessage[]>;
  /** A text without secrets. */
  diagnostics(): Promise<string>;
  settings(): Promise<SettingsReport>;
  /** All or none. */
  editSettings(revision: string, edits: Edit[]): Promise<SettingsReport>;
  /** Ends after the last step. */
  test(trial: Trial, onStep: (step: Step) => void): Promise<void>;
  preview(sample: Sample): Promise<Previewed>;
  /** Sends no secret, and subscribes to nothing. */
  discover(pasted: Pasted): Promise<Discovery>;
  health(channel: string): Promise<HealthReport>;
  /** A PNG in base64, by the name that it was told by; `null`: it is gone. */
  picture(name: string): Promise<string | null>;
  /** Of the usual size; `null` where the host zooms by itself. */
  zoom: ((factor: number) => Promise<void>) | null;
}
