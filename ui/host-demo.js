// The second host: a make-believe agent, so that the page opens in any browser from a static file server, for
// working on it and for its tests. `?scenario=NAME` chooses what it tells; without one, a lively day. `?language=zh-CN` switches the language.

/** @typedef {import("./api").PageEvent} PageEvent */
/** @typedef {import("./api").PageCommand} PageCommand */
/** @typedef {import("./api").PageError} PageError */
/** @typedef {import("./api").ChannelReport} ChannelReport */
/** @typedef {import("./api").StoredMessage} StoredMessage */
/** @typedef {import("./host.js").Host} Host */

const VERSION = "0.1.0";
/** How long dialling and starting take here, in milliseconds. */
const SOON = 400;
/** An answer of the agent is not longer, in bytes. */
const LONGEST_ANSWER = 16 << 20;

/** Today at this local time, or so many days ago.
 * @param {string} clock @param {number} [daysAgo] */
function at(clock, daysAgo = 0) {
  const [hours, minutes, seconds = 0] = clock.split(":").map(Number);
  const time = new Date();
  time.setDate(time.getDate() - daysAgo);
  time.setHours(hours ?? 0, minutes ?? 0, seconds, 0);
  return time.toISOString();
}

const now = () => new Date().toISOString();

/** @param {string} name @param {Partial<ChannelReport>} [rest]
 * @returns {ChannelReport} */
function channel(name, rest = {}) {
  return {
    id: name.toLowerCase(),
    name,
    url: `wss://${name.toLowerCase()}.example/ws/user-channel`,
    state: "connected",
    since: at("11:48"),
    attempt: 0,
    retry_at: null,
    cause: null,
    last_close: null,
    rtt_ms: 23.4,
    last_inbound: null,
    links_opened: 1,
    unread: 0,
    ...rest,
  };
}

/** A message without its row.
 * @typedef {Omit<StoredMessage, "row">} Draft */

/** @param {string} title @param {string} body @param {Partial<Draft>} [rest]
 * @returns {Draft} */
function message(title, body, rest = {}) {
  const raw = JSON.stringify({ title, body });
  return {
    unread: false, channel: "Orders", id: null, title, body, priority: 3, url: null, received_at: now(), raw, ...rest,
  };
}

/** What a scenario starts with; `plays` goes on from there.
 * @typedef {object} Scenario
 * @property {ChannelReport[]} channels
 * @property {Draft[]} messages Oldest first.
 * @property {string[]} [notices]
 * @property {string} [gone] The agent isn't there, for this reason.
 * @property {string} [version] The agent's.
 * @property {string | null} [paused]
 * @property {PageError} [refuses] Every command.
 * @property {(agent: Agent) => void} [plays]
 */

/** What a scenario may do later.
 * @typedef {object} Agent
 * @property {(draft: Draft) => void} receive
 * @property {(id: string, change: Partial<ChannelReport>) => void} change
 * @property {(message: number) => void} raise
 * @property {(why: string) => void} leave
 */

/** @returns {Draft[]} */
function someMessages() {
  return [
    message("Weekly report", "All systems ran without interruption last week.\nUptime 100 %, median response 41 ms.", {
      channel: "Build", received_at: at("09:00", 400), priority: 2,
    }),
    message("备份完成", "夜间备份已完成：共 1,204 个文件，用时 3 分 12 秒。", { channel: "Build", received_at: at("03:10", 3) }),
    message("Nightly backup failed", "The target disk is full: 0 bytes left on /backup. The last good copy is two days old. "
      + "Free some space or change the target; the next run starts at 03:00.", {
      channel: "Build", received_at: at("03:00", 2), priority: 5, url: "https://build.example/jobs/4711",
    }),
    message("طلب جديد", "تم استلام الطلب رقم 1041 من السيدة ليلى.", { received_at: at("17:20", 1) }),
    message("Order 1042 paid", "€ 128.40 by card. Ready to be packed.", {
      received_at: at("08:12"), url: "https://orders.example/orders/1042", id: "o-1042-paid",
    }),
    message("Build 318 is green", "main · 2 min 41 s · 412 tests", { channel: "Build", received_at: at("08:30") }),
    message("Desk", "Paula asks whether the demo moves to Thursday. She would bring the printed plans along and needs a "
      + "room with a big table, if possible on the second floor, because the lift is out of order until Friday and "
      + "carrying the model up four stairs is no fun for anybody. Please answer before noon so that she can tell the "
      + "others in time; otherwise everything stays as it is. She also says that the new samples have come and look "
      + "good, apart from the blue one, which is rather green.", { channel: "Desk", received_at: at("09:05") }),
    message("Order 1043 waits for you", "The customer asked for another address. Please confirm it today.", {
      received_at: at("09:41"), priority: 4, unread: true, url: "https://orders.example/orders/1043",
    }),
    message("Order 1044 paid", "€ 19.00 by transfer.", { received_at: at("10:02"), unread: true }),
  ];
}

const sixStates = () => [
  channel("Orders"),
  channel("Build", { state: "connecting", attempt: 1 }),
  channel("Desk", { state: "waiting", retry_at: at("14:02:31"), attempt: 2, cause: "server restarting (1012)" }),
  channel("Billing", { state: "disconnected" }),
  channel("Alerts", { state: "replaced", since: at("14:02") }),
  channel("Stock", { state: "needs_user", cause: "sign-in refused (401)", retry_at: at("15:00") }),
];

const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=1</script>';

/** @type {Record<string, () => Scenario>} */
const scenarios = {
  /** Messages come, a server restarts, another tab takes a channel over. */
  day: () => ({
    channels: [channel("Orders"), channel("Build", { since: at("08:03") }), channel("Desk", { since: at("09:20", 1) })],
    messages: someMessages(),
    plays(agent) {
      setTimeout(() => {
        const retry = new Date(Date.now() + 4000).toISOString();
        agent.change("build", { state: "waiting", since: now(), retry_at: retry, attempt: 1, cause: "server restarting (1012)" });
      }, 5000);
      setTimeout(() => agent.change("build", { state: "connected", since: now(), retry_at: null, attempt: 0, cause: null }), 9000);
      setTimeout(() => agent.change("desk", { state: "replaced", since: now() }), 14_000);
      let order = 1045;
      setInterval(() => {
        agent.receive(message(`Order ${order} paid`, `€ ${(order % 90) + 0.5}0 by card.`, {
          unread: true, url: `https://orders.example/orders/${order}`,
        }));
        order += 1;
      }, 8000);
    },
  }),
  /** A still of it. */
  one: () => ({ channels: [channel("Orders")], messages: someMessages().map((draft) => ({ ...draft, channel: "Orders" })) }),
  several: () => ({ channels: sixStates().slice(0, 3), messages: someMessages() }),
  states: () => ({ channels: sixStates(), messages: someMessages() }),
  /** Nobody has written a settings file yet. */
  none: () => ({ channels: [], messages: [] }),
  quiet: () => ({ channels: [channel("Orders")], messages: [] }),
  paused: () => ({ channels: [channel("Orders")], messages: someMessages(), paused: at("23:30") }),
  gone: () => ({ channels: [channel("Orders")], messages: someMessages(), gone: "No agent answers at its socket." }),
  /** It is killed once the page is up. */
  leaves: () => ({
    channels: [channel("Orders")],
    messages: someMessages(),
    plays: (agent) => setTimeout(() => agent.leave("The agent has closed the connection."), SOON),
  }),
  other_version: () => ({ channels: [channel("Orders")], messages: someMessages(), version: "0.0.9" }),
  notice: () => ({
    channels: [channel("Orders")],
    messages: someMessages(),
    notices: ["config.toml:7:1: unknown key “tokn_command”; did you mean “token_command”? The last good settings stay in force."],
  }),
  refuses: () => ({
    channels: [channel("Orders")],
    messages: someMessages(),
    refuses: { code: "busy", message: "The agent has too much to do right now; try again in a moment." },
  }),
  /** A click on the popup of the oldest message opened the window. */
  raise: () => ({
    channels: [channel("Orders")],
    messages: [...Array(150).keys()].map((number) => message(`Message ${number + 1}`, "Something happened.")),
    plays: (agent) => agent.raise(3),
  }),
  /** A burst of more than is kept. */
  burst: () => ({
    channels: [channel("Orders")],
    messages: [],
    plays(agent) {
      for (let number = 1; number <= 1000; number += 1) agent.receive(message(`Message ${number}`, "Burst.", { unread: true }));
    },
  }),
  /** Whatever a server may send. */
  hostile: () => ({
    channels: [channel("Orders"), channel(HOSTILE, { state: "needs_user", cause: `${HOSTILE}${"\u0300".repeat(500)}` })],
    messages: [
      message("A quiet one", "It must stay readable.", { channel: HOSTILE }),
      message("x".repeat(10_000), "y".repeat(1 << 20)),
      message("\u202Egnp.exe\u2066 abc", "\u202Eright to left\u2067 and never back"),
      message(`Z${"\u0316\u0300\u0334".repeat(400)}algo`, `${`Z${"\u0316\u0300\u0334".repeat(60)}`.repeat(40)}`),
      message("\n".repeat(500), "\n".repeat(500), { raw: { base64: "AAECAwQ=" } }),
      message(HOSTILE, HOSTILE, { raw: HOSTILE, id: HOSTILE, priority: 5, url: "https://xn--pypal-4ve.example/?<script>" }),
    ],
    notices: [HOSTILE],
  }),
  /** As much as fits. */
  huge: () => ({
    channels: [channel("Orders")],
    messages: [...Array(200).keys()].map((number) => {
      const body = `${number} `.repeat((1 << 20) / `${number} `.length);
      return message(`Message ${number + 1}`, body, { raw: body });
    }),
  }),
};

/** The host of the scenario that the address names.
 * @returns {Host} */
export function demo() {
  const name = new URLSearchParams(location.search).get("scenario") ?? "day";
  const scenario = (scenarios[name] ?? scenarios.day)?.();
  if (scenario === undefined) throw new Error("no scenario");
  return agentOf(scenario);
}

/** @param {Scenario} scenario
 * @returns {Host} */
function agentOf(scenario) {
  let { channels } = scenario;
  const { refuses, plays } = scenario;
  const stored = scenario.messages.map((draft, place) => ({ ...draft, row: place + 1 }));
  let there = scenario.gone === undefined;
  let version = scenario.version ?? VERSION;
  const language = new URLSearchParams(location.search).get("language") ?? "en";
  /** @type {(event: PageEvent) => void} */
  let tell = () => {};

  function greet() {
    tell({ type: "agent_connected", version, other_version: version !== VERSION });
    const unread = stored.filter((message) => message.unread).length;
    const paused_until = scenario.paused ?? null;
    const notices = scenario.notices ?? [];
    tell({ type: "snapshot", version, language, theme: "auto", paused_until, unread, notices, channels });
  }

  /** @type {Agent} */
  const agent = {
    receive(draft) {
      const message = { ...draft, row: stored.length + 1, received_at: now() };
      stored.push(message);
      if (there) tell({ type: "message", ...message });
    },
    change(id, change) {
      channels = channels.map((channel) => (channel.id === id ? { ...channel, ...change } : channel));
      const changed = channels.find((channel) => channel.id === id);
      if (there && changed !== undefined) tell({ type: "state", ...changed });
    },
    raise: (message) => tell({ type: "raise", activation_token: null, message }),
    leave(message) {
      there = false;
      tell({ type: "agent_gone", message });
    },
  };

  /** @param {string} id */
  function connect(id) {
    agent.change(id, { state: "connecting", since: now(), attempt: 1, cause: null, retry_at: null });
    setTimeout(() => agent.change(id, { state: "connected", since: now(), attempt: 0 }), SOON);
  }

  function restart() {
    if (there) agent.leave("The agent is restarting.");
    version = VERSION;
    setTimeout(() => {
      there = true;
      greet();
    }, SOON);
  }

  /** @returns {PageError} */
  const gone = () => ({ code: "agent_gone", message: "The agent is not running." });

  return {
    async subscribe(onEvent) {
      tell = onEvent;
      if (there) greet();
      else tell({ type: "agent_gone", message: scenario.gone ?? "" });
      plays?.(agent);
    },
    async act(command) {
      if (command.do === "restart_agent") return restart();
      if (!there) throw gone();
      if (refuses !== undefined) throw refuses;
      if (command.do === "mark_read") {
        for (const message of stored) if (command.messages.includes(message.row)) message.unread = false;
        return;
      }
      if (command.do === "open_link") {
        const url = stored.find((message) => message.row === command.message)?.url;
        if (url) window.open(url, "_blank", "noopener");
        return;
      }
      for (const { id, state } of channels) {
        if (command.channel !== null && command.channel !== id) continue;
        if (command.action === "disconnect") agent.change(id, { state: "disconnected", since: now(), cause: null, retry_at: null });
        else if (command.channel !== null || state === "disconnected") connect(id);
      }
    },
    async history({ before, limit }) {
      if (!there) throw gone();
      const answer = stored.filter(({ row }) => before === null || row < before).slice(-limit).reverse();
      const length = answer.reduce((sum, { body, raw }) => sum + body.length + JSON.stringify(raw).length, 0);
      if (length > LONGEST_ANSWER) throw /** @type {PageError} */ ({ code: "failed", message: "The answer is too long." });
      return answer;
    },
    async diagnostics() {
      if (!there) throw gone();
      return `Tidings ${version}\n${channels.map((channel) => `${channel.name}: ${channel.state}`).join("\n")}\n`;
    },
  };
}
