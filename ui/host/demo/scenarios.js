// What the second host can play: channels, messages and what goes on, by the name of a scenario.

/** @typedef {import("../api").PageError} PageError */
/** @typedef {import("../api").ChannelReport} ChannelReport */
/** @typedef {import("../api").Span} Span */
/** @typedef {import("../api").StoredMessage} StoredMessage */

/** How long dialling and starting take here, in milliseconds. */
export const SOON = 400;

/** Today at this local time, or so many days ago.
 * @param {string} clock @param {number} [daysAgo] */
export function at(clock, daysAgo = 0) {
  const [hours, minutes, seconds = 0] = clock.split(":").map(Number);
  const time = new Date();
  time.setDate(time.getDate() - daysAgo);
  time.setHours(hours ?? 0, minutes ?? 0, seconds, 0);
  return time.toISOString();
}

export const now = () => new Date().toISOString();

/** @param {string} name @param {Partial<ChannelReport>} [rest]
 * @returns {ChannelReport} */
export function channel(name, rest = {}) {
  return {
    id: name.toLowerCase(),
    name,
    url: `wss://${name.toLowerCase()}.example/ws/user-channel`,
    kind: "recipe",
    carrier: "websocket",
    sends: false,
    state: "connected",
    since: at("11:48"),
    attempt: 0,
    retry_at: null,
    cause: null,
    last_close: null,
    rtt_ms: 23.4,
    answers_pings: true,
    idle_limit: null,
    last_inbound: null,
    links_opened: 1,
    unread: 0,
    demo: false,
    ...rest,
  };
}

/** A message without its row.
 * @typedef {Omit<StoredMessage, "row">} Draft */

/** @param {string} title @param {string} body @param {Partial<Draft>} [rest]
 * @returns {Draft} */
export function message(title, body, rest = {}) {
  const raw = JSON.stringify({ title, body });
  return {
    unread: false, channel: "Orders", id: null, title, body, priority: 3, url: null, received_at: now(), raw, ...rest,
  };
}

/** What a scenario may do later.
 * @typedef {object} Agent
 * @property {(draft: Draft) => void} receive
 * @property {(id: string, change: Partial<ChannelReport>) => void} change
 * @property {(message: number) => void} raise
 * @property {(messages: number[]) => void} takeBack
 * @property {(messages: number[]) => void} readElsewhere
 * @property {(message: number, news: { app?: string, picture?: string, icon?: string }) => void} picture
 * @property {(happens: () => void) => void} unheard The page is too slow to be told of what happens there.
 * @property {(name: string, message: number) => void} repaint An icon is another one; told for this message.
 * @property {(why: string) => void} leave
 */

/** What a scenario starts with; `plays` goes on from there.
 * @typedef {object} Scenario
 * @property {ChannelReport[]} channels
 * @property {Draft[]} messages Oldest first.
 * @property {string[]} [notices]
 * @property {string} [gone] The agent isn't there, for this reason.
 * @property {string} [version] The agent's.
 * @property {string | null} [paused]
 * @property {PageError} [refuses] Every command.
 * @property {string} [broken] What is wrong with the settings file.
 * @property {boolean} [conflict] Somebody else edits the settings file just before the first save.
 * @property {boolean} [noKeyring]
 * @property {Record<string, Record<string, any>>} [settings] What stands in the file for a channel, by its id.
 * @property {PageError} [refusesSend] The server takes the first message, and no second one.
 * @property {boolean} [slow] Messages take a moment until they are here.
 * @property {boolean} [refused] The server takes no sign-in without a secret.
 * @property {(agent: Agent) => void} [plays]
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

/** One with all that Markdown can say, as the agent reads it.
 * @returns {Draft} */
function markdown() {
  const body = "## Release 2.4 is *out*\n\nThe **new importer** is `4×` faster, see [the notes](https://build.example/releases/2.4?from=mail).\n\n"
    + "1. Stop the old service\n2. Run the migration:\n   ```\n   shop migrate --all\n   shop check\n   ```\n3. Start again\n   - [x] staging\n   - [ ] production\n\n"
    + "> Paula: ~~Friday~~ Thursday is fine.\n\n![Response times](https://build.example/graph.png)\n\n---\n\n<b>HTML</b> stays text.";
  /** @param {string} text @param {Omit<Span, "text">} [rest] */
  const span = (text, rest = {}) => ({ text, ...rest });
  /** @param {...Span} spans */
  const paragraph = (...spans) => /** @type {const} */ ({ block: "paragraph", spans });
  const text = "Release 2.4 is out\n\nThe new importer is 4× faster, see the notes (https://build.example/releases/2.4?from=mail).\n\n"
    + "1. Stop the old service\n2. Run the migration:\n   shop migrate --all\n   shop check\n3. Start again\n   • ☑ staging\n   • ☐ production\n\n"
    + "> Paula: ~Friday~ Thursday is fine.\n\n[Response times] (https://build.example/graph.png)\n\n———\n\n<b>HTML</b> stays text.";
  return message("Shop 2.4", body, {
    channel: "Build", received_at: at("09:20"), format: "markdown",
    rich: {
      text,
      links: ["https://build.example/releases/2.4?from=mail", "https://build.example/graph.png"],
      blocks: [
        { block: "heading", level: 2, spans: [span("Release 2.4 is "), span("out", { italic: true })] },
        paragraph(
          span("The "), span("new importer", { bold: true }), span(" is "), span("4×", { code: true }), span(" faster, see "),
          span("the notes", { link: 0 }), span("."),
        ),
        {
          block: "list", start: 1, items: [
            [paragraph(span("Stop the old service"))],
            [paragraph(span("Run the migration:")), { block: "code", text: "shop migrate --all\nshop check" }],
            [paragraph(span("Start again")), { block: "list", start: null, items: [[paragraph(span("☑ staging"))], [paragraph(span("☐ production"))]] }],
          ],
        },
        { block: "quote", blocks: [paragraph(span("Paula: "), span("Friday", { struck: true }), span(" Thursday is fine."))] },
        paragraph(span("Response times", { image: true, link: 1 })),
        { block: "rule" },
        paragraph(span("<b>HTML</b> stays text.")),
      ],
    },
  });
}

const allStates = () => [
  channel("Orders"),
  channel("Build", { state: "connecting", attempt: 1 }),
  channel("Desk", { state: "waiting", retry_at: at("14:02:31"), attempt: 2, cause: "server restarting (1012)" }),
  channel("Billing", { state: "disconnected" }),
  channel("Alerts", { state: "replaced", since: at("14:02") }),
  channel("Stock", { state: "needs_user", cause: "sign-in refused (401)", retry_at: at("15:00") }),
  channel("Mute", { answers_pings: false, rtt_ms: null }),
];

/** Channels of web apps with a sign-in, however that does.
 * @param {string} language
 * @returns {ChannelReport[]} */
function signIns(language) {
  /** @param {string} english @param {string} other */
  const text = (english, other) => (language === "zh-CN" ? other : english);
  const session = { sign_in: "https://shop.example/", life_s: null, kept_alive_s: null, alive_at: null };
  const needs = /** @type {const} */ ({ state: "needs_user", retry_at: at("15:00"), answers_pings: null, rtt_ms: null });
  return [
    channel("Home", {
      ...needs, session, cause: text("your session at shop.example is over. Sign in again", "您在 shop.example 的会话已结束。请重新登录"),
    }),
    channel("Office", {
      ...needs, session: { ...session, kept: "memory" },
      cause: text("you are signed in at shop.example, but may not use this channel (403)", "您已登录 shop.example，但无权使用此频道 (403)"),
    }),
    channel("Vain", {
      ...needs, session: { ...session, sign_in: "https://id.example/realms/shop", in_vain: true },
      cause: text(
        "what answers at id.example is no OAuth provider, or another one than `issuer` says; correct `issuer` in [channel.oauth]",
        "id.example 处应答的不是 OAuth 提供方，或与 `issuer` 所述不同；请更正 [channel.oauth] 中的 `issuer`",
      ),
    }),
    channel("Kept", { session: { ...session, kept: "keyring", life_s: 1800, kept_alive_s: 600, alive_at: at("11:50") } }),
  ];
}

const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=1</script>';

/** A calm day in either language, for pictures of it.
 * @param {string} language
 * @returns {Scenario} */
function shop(language) {
  const chinese = language === "zh-CN";
  const [orders, build, desk] = chinese ? ["订单", "构建", "前台"] : ["Orders", "Build", "Front desk"];
  /** @param {string} english @param {string} other */
  const text = (english, other) => (chinese ? other : english);
  const channels = [
    channel(orders ?? "", { id: "orders", url: "wss://shop.example/ws/user-channel", last_inbound: at("11:52:04"), last_close: { code: 1012, reason: "" } }),
    channel(build ?? "", { id: "build", url: "wss://ci.example/ws/user-channel", since: at("08:03") }),
    channel(desk ?? "", { id: "desk", url: "wss://desk.example/ws/user-channel", state: "replaced", since: at("09:20") }),
  ];
  return {
    channels,
    messages: [
      message(text("Weekly report", "每周报告"), text("All systems ran without interruption.\nUptime 100 %, median response 41 ms.", "所有系统运行正常。\n可用率 100%，响应中位数 41 毫秒。"), {
        channel: build, received_at: at("09:00", 3), priority: 2,
      }),
      message(text("Nightly backup failed", "夜间备份失败"), text("The target disk is full: 0 bytes left on /backup. The next run starts at 03:00.", "目标磁盘已满：/backup 剩余 0 字节。下次备份将于 03:00 开始。"), {
        channel: build, received_at: at("03:00", 1), priority: 5, url: "https://ci.example/jobs/4711",
      }),
      message(text("Build 318 is green", "构建 318 已通过"), text("main · 2 min 41 s · 412 tests", "main · 2 分 41 秒 · 412 项测试"), { channel: build, received_at: at("08:30") }),
      message(text("Visitor at the front desk", "前台有访客"), text("Paula Meyer brings the printed plans and asks for a room with a big table.", "保拉·迈尔带来了打印的图纸，需要一间有大桌子的会议室。"), {
        channel: desk, received_at: at("09:05"),
      }),
      message(text("Order 1042 paid", "订单 1042 已付款"), text("€ 128.40 by card. Ready to be packed.", "银行卡支付 ¥128.40，可以打包。"), { channel: orders, received_at: at("10:12") }),
      message(text("Order 1043 waits for you", "订单 1043 等待处理"), text("The customer asked for another address. Please confirm it today.", "客户要求更改收货地址，请于今天确认。"), {
        channel: orders, received_at: at("11:41"), priority: 4, unread: true, url: "https://shop.example/orders/1043", id: "o-1043",
      }),
      message(text("Order 1044 paid", "订单 1044 已付款"), text("€ 19.00 by transfer.", "转账支付 ¥19.00。"), { channel: orders, received_at: at("11:52"), unread: true }),
    ],
  };
}

/** @type {Record<string, (language: string) => Scenario>} */
export const scenarios = {
  shop,
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
  /** A channel of each kind. */
  spoken: () => ({
    channels: [
      channel("App", { kind: "dialogue", url: "wss://app.example/socket", state: "connecting", stage: "subscribe" }),
      channel("Alerts", { kind: "ntfy", url: "https://ntfy.example/", left_out: ["backup"] }),
      channel("Push", { kind: "gotify", url: "https://push.example/gotify" }),
      channel("Shop", {
        kind: "dialogue", url: "wss://shop.example/ws", carrier: "sockjs-streaming",
        instead_of: { carrier: "websocket", failed: 3, cause: "the server refused the request (400); a proxy may drop `Upgrade`" },
      }),
      channel("Home", { kind: "mqtt", carrier: "mqtt", url: "mqtts://broker.example:8883" }),
    ],
    messages: someMessages(),
    settings: {
      home: { kind: "mqtt", topics: ["home/#", { filter: "alarm/+", qos: 2 }], auth: "basic", username: "ann" },
      app: {
        kind: "dialogue",
        dialogue: {
          greet: ['{"type":"auth","token":{{ secret|tojson }}}'],
          on: [
            { when: "json.type == 'ready'", connected: true },
            { when: "json.type == 'ping'", say: '{"type":"pong","n":{{ n }}}' },
            { when: "json.type == 'event'", message: "/payload" },
            { when: "json.type == 'error'", refused: "{{ json.message }}" },
            { when: "json.type == 'typing'", ignore: true },
          ],
          beat: { text: '{"type":"ping"}', interval: "25s" },
        },
      },
      alerts: { kind: "ntfy", topics: ["alerts", "backup"] },
      push: { kind: "gotify" },
      shop: { kind: "dialogue", preset: "stomp", dialogue: { set: { destination: "/user/queue/notifications" } } },
    },
  }),
  /** Servers that say whether all that was missed is here. */
  gap: () => ({
    channels: [
      channel("Orders", { caught_up: { complete: true, from: null, until: null } }),
      channel("Build", { caught_up: { complete: false, from: at("09:12"), until: at("11:48") } }),
      channel("Desk", { caught_up: { complete: false, from: at("17:20", 1), until: null } }),
      channel("Stock", { state: "waiting", retry_at: at("14:02:31"), cause: "server restarting (1012)", caught_up: { complete: false, from: null, until: null } }),
    ],
    messages: someMessages(),
  }),
  /** Channels by which one sends, or could. */
  sending: (language) => ({
    channels: [
      channel("Alerts", { kind: "ntfy", url: "https://ntfy.example/", topics: ["alerts", "backup"], sends: true }),
      channel("Home", { kind: "ntfy", url: "https://ntfy.example/", topics: ["home"], sends: true }),
      channel("Push", { kind: "gotify", url: "https://push.example/gotify" }),
    ],
    messages: [],
    settings: { alerts: { kind: "ntfy", topics: ["alerts", "backup"] }, home: { kind: "ntfy", topics: ["home"] }, push: { kind: "gotify" } },
    refusesSend: {
      code: "not_sent", key: null,
      message: language === "zh-CN" ? "未发送：服务器每天允许的消息数已用完 (42908)" : "not sent: the messages that the server allows a day are used up (42908)",
    },
  }),
  /** A still of it. */
  one: () => ({ channels: [channel("Orders")], messages: someMessages().map((draft) => ({ ...draft, channel: "Orders" })) }),
  /** One has its picture, and the other is about to get it. */
  pictures: () => ({
    channels: [channel("Push", { kind: "gotify", url: "https://push.example/gotify" }), channel("Orders")],
    settings: { push: { kind: "gotify", images: "own-server" } },
    messages: [
      message("Backup of anna is done", "12 GiB in 4 minutes.", { channel: "Push", received_at: at("08:30"), app: "Backups", icon: "icon-1-app1" }),
      message("The garage is open", "Nobody was seen.", { channel: "Push", received_at: at("09:12"), app: "Doors" }),
      message("Somebody is at the door", "Seen by the camera at the entrance.", {
        channel: "Push", received_at: at("09:41"), unread: true, app: "Doors", icon: "icon-1-app2", picture: "3-0123456789abcdef",
      }),
    ],
    plays(agent) {
      setTimeout(() => agent.picture(2, { app: "Doors", picture: "2-0123456789abcdef", icon: "icon-1-app2" }), SOON);
    },
  }),
  /** The page is too slow for some of what comes. */
  missed: () => ({
    channels: [channel("Push", { kind: "gotify" })],
    messages: [message("The garage is open", "Nobody was seen.", { channel: "Push" })],
    plays(agent) {
      setTimeout(() => {
        agent.unheard(() => {
          agent.picture(1, { app: "Doors", icon: "icon-1-app2" });
          agent.receive(message("Missed", "news", { channel: "Push" }));
        });
        agent.receive(message("Heard", "news", { channel: "Push" }));
      }, SOON);
    },
  }),
  /** A name and an icon come while the messages are on their way. */
  slow: () => ({
    channels: [channel("Push", { kind: "gotify" })],
    messages: [message("The garage is open", "Nobody was seen.", { channel: "Push", unread: true })],
    slow: true,
    plays(agent) {
      setTimeout(() => {
        agent.picture(1, { app: "Doors", icon: "icon-1-app2" });
        agent.readElsewhere([1]);
      }, SOON / 2);
    },
  }),
  /** An application's icon is another one from now on. */
  repainted: () => ({
    channels: [channel("Push", { kind: "gotify" })],
    messages: [message("The garage is open", "Nobody was seen.", { channel: "Push", app: "Doors", icon: "icon-1-app2" })],
    plays(agent) {
      setTimeout(() => {
        agent.receive(message("The door is open", "Nobody was seen.", { channel: "Push", app: "Doors", icon: "icon-1-app2" }));
        setTimeout(() => agent.repaint("icon-1-app2", 2), SOON);
      }, SOON);
    },
  }),
  markdown: () => ({ channels: [channel("Build")], messages: [markdown()] }),
  several: () => ({ channels: allStates().slice(0, 3).map((one, place) => ({ ...one, unread: place === 0 ? 2 : 0 })), messages: someMessages() }),
  states: () => ({ channels: allStates(), messages: someMessages() }),
  sessions: (language) => ({
    channels: signIns(language), messages: [],
    settings: { home: { auth: "session", sign_in: "https://shop.example/" }, vain: { oauth: { issuer: "https://id.example/realms/shop", client_id: "tidings" } } },
  }),
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
    broken: "config.toml:7:1: unknown key “tokn_command”; did you mean “token_command”?",
  }),
  conflict: () => ({ channels: [channel("Orders")], messages: someMessages(), conflict: true }),
  no_keyring: () => ({ channels: [channel("Orders")], messages: someMessages(), noKeyring: true }),
  refused: () => ({
    channels: [channel("Orders", { state: "needs_user", cause: "sign-in refused (401)" })], messages: [], refused: true,
  }),
  /** More than anybody scrolls through. */
  many: () => ({
    channels: [channel("Orders"), channel("Build")],
    messages: [...Array(100_000).keys()].map((number) => message(`Message ${number + 1}`, "Something happened.".repeat(1 + number % 7), {
      channel: number % 3 === 0 ? "Build" : "Orders", received_at: new Date(Date.now() - (100_000 - number) * 60_000).toISOString(),
    })),
  }),
  refuses: () => ({
    channels: [channel("Orders")],
    messages: someMessages(),
    refuses: { code: "busy", message: "The agent has too much to do right now; try again in a moment.", key: null },
  }),
  /** A click on the popup of the oldest message opened the window. */
  raise: () => ({
    channels: [channel("Orders")],
    messages: [...Array(150).keys()].map((number) => message(`Message ${number + 1}`, "Something happened.")),
    plays: (agent) => agent.raise(3),
  }),
  /** The same once the user has gone on to another page. */
  raise_elsewhere: () => ({
    channels: [channel("Orders")],
    messages: [...Array(50).keys()].map((number) => message(`Message ${number + 1}`, "Something happened.")),
    plays(agent) {
      setTimeout(() => (location.hash = "#settings"), SOON);
      setTimeout(() => agent.raise(3), SOON * 2);
    },
  }),
  /** What ntfy's messages bring along. */
  pushed: () => ({
    channels: [channel("Orders")],
    messages: [
      message("⚠️ Door", "It has been open for ten minutes.", {
        id: "hwQ2YpKdmg1a", topic: "home", tags: ["garage", "\u202Eevil"], unread: true,
        actions: [
          { label: "Look", does: "open", url: "https://shop.example/door" },
          { label: "Close the door", does: "send", method: "POST", host: "hooks.example" },
          { label: "Copy the code", does: "copy", text: "1234" },
        ],
        attachments: [
          { name: "door.jpg", media_type: "image/jpeg", size: 123_456, expires: at("23:30"), url: "https://ntfy.example/file/x.jpg" },
          { name: "a.txt", media_type: null, size: null, expires: null, url: "https://shop.example/a.txt" },
        ],
      }),
    ],
  }),
  /** Messages are deleted, and read elsewhere, once the page is up. */
  taken_back: () => ({
    channels: [channel("Orders", { unread: 3 })],
    messages: ["one", "two", "three"].map((title) => message(title, "news", { unread: true })),
    plays(agent) {
      setTimeout(() => {
        agent.takeBack([2]);
        agent.readElsewhere([1]);
      }, SOON);
    },
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

