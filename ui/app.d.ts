// What the pages are given, and what the window is given by each of them.

import type { Action, Event, PageCommand, StatusReport, StoredMessage } from "./host/api";
import type { Host } from "./host/contract";

export type PicturesNews = Extract<Event, { type: "pictures" }>;

export interface App {
  host: Host;
  /** What the agent told last; `null` before its first word. */
  report(): StatusReport | null;
  /** Whether the agent is there. */
  there(): boolean;
  /** Has something done; tells of a failure above the page, and answers whether it was done. */
  act(command: PageCommand): Promise<boolean>;
  /** Does something with a channel, or with all. */
  command(action: Action, channel: string | null): Promise<boolean>;
  /** Tells of a failure above the page; `null`: all is well (again). */
  failed(error: unknown): void;
  /** Goes to another page, such as `#channels/orders`. */
  go(place: string): void;
}

export interface PageView {
  element: HTMLElement;
  /** It is gone to; `rest` is what follows the page's name in the address. */
  show?(rest: string): void;
  /** It is left. */
  leave?(): void;
  /** The report, the clock or whether the agent is there has changed. */
  update(): void;
  /** The agent is there, again or for the first time. */
  arrived?(): void;
  /** A message was stored. */
  heard?(message: StoredMessage): void;
  /** Pictures came for a message. */
  pictured?(news: PicturesNews): void;
  /** Messages are no longer there. */
  gone?(rows: number[]): void;
  /** Messages were read elsewhere. */
  wasRead?(rows: number[]): void;
  /** A message is to be shown. */
  raise?(row: number): void;
  /** The document was scrolled or has another size. */
  scrolled?(): void;
  /** The search is asked for. */
  find?(): void;
}
