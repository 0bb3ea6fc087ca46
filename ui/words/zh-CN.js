// What the page says. Made from src-tauri/words/locales/zh-CN: UPDATE=1 cargo test -p tidings-words

const plurals = new Intl.PluralRules("zh-CN");
const numbers = new Intl.NumberFormat("zh-CN");

/** The variant of the first of these names that there is, or else the last one.
 * @param {Record<string, string>} variants @param {string[]} names */
function byName(variants, ...names) {
  const all = Object.entries(variants);
  const found = names.map((name) => all.find(([known]) => known === name)).find((entry) => entry !== undefined);
  return (found ?? all.at(-1))?.[1] ?? "";
}

/** The variant for this many: of the number itself, or of its plural category.
 * @param {number} count @param {Record<string, string>} variants */
const byCount = (count, variants) => byName(variants, String(count), plurals.select(count));

export default {
  /** @param {{ time: string }} variables */
  stateConnected: ({ time }) => `已连接（自 ${time} 起）`,
  stateConnecting: "正在连接",
  /** @param {{ attempt: number }} variables */
  stateConnectingAgain: ({ attempt }) => `正在连接（第 ${numbers.format(attempt)} 次尝试）`,
  /** @param {{ time: string }} variables */
  stateWaiting: ({ time }) => `将于 ${time} 重新连接`,
  /** @param {{ cause: string, time: string }} variables */
  stateWaitingBecause: ({ cause, time }) => `将于 ${time} 重新连接：${cause}`,
  stateDisconnected: "已断开",
  /** @param {{ time: string }} variables */
  stateReplaced: ({ time }) => `已被其他标签页或设备接管（自 ${time} 起）`,
  actionConnect: "连接",
  actionReconnectNow: "立即重新连接",
  actionTakeOver: "在此处接管",
  actionDisconnect: "断开连接",
  actionConnectAll: "全部连接",
  actionDisconnectAll: "全部断开",
  channels: "频道",
  messages: "消息",
  needsYou: "需要您处理",
  stateUnknown: "Tidings 后台未运行，状态未知",
  /** @param {{ name: string, state: string }} variables */
  channelNews: ({ name, state }) => `${name}：${state}`,
  /** @param {{ time: string }} variables */
  pausedUntil: ({ time }) => `通知已暂停至 ${time}，消息仍会显示在这里。`,
  paused: "通知已暂停，可从托盘菜单恢复。消息仍会显示在这里。",
  noChannelTitle: "还没有频道",
  /** @param {{ file: string }} variables */
  noChannelText: ({ file }) => `请将以下内容写入 ${file}，并换成您自己的名称、地址和令牌：`,
  noChannelThen: "保存文件后频道会立即出现在这里，无需重新启动。",
  copyExample: "复制以上内容",
  goneTitle: "Tidings 后台未运行。",
  goneText: "正在持续查找，后台恢复后此页面会自动继续。",
  start: "启动",
  versionTitle: "Tidings 后台与此窗口的版本不同。",
  versionText: "重新启动后台即可解决，之后所有频道会重新连接。",
  restart: "重新启动",
  failedTitle: "操作失败。",
  dismiss: "知道了",
  looking: "正在查找 Tidings 后台…",
  search: "搜索消息",
  searchHint: "搜索",
  /** @param {{ all: number, found: number }} variables */
  found: ({ all, found }) => `共 ${numbers.format(all)} 条消息，找到 ${numbers.format(found)} 条`,
  noMessagesTitle: "还没有消息",
  noMessagesText: "频道发来的消息会按时间倒序显示在这里，同时以桌面通知的形式弹出。",
  noMessagesNoLink: "当前没有已连接的频道。请先在上方连接一个频道，以便接收消息。",
  noMessagesNoChannel: "添加频道后，消息会显示在这里。",
  noHitsTitle: "未找到消息",
  /** @param {{ all: number, searched: string }} variables */
  noHitsText: ({ all, searched }) => `最新的 ${numbers.format(all)} 条消息中，标题、正文和频道均不包含“${searched}”。`,
  clearSearch: "清除搜索",
  loadFailedTitle: "无法加载消息",
  tryAgain: "重试",
  unread: "未读",
  untitled: "无标题",
  priorityLowest: "最低",
  priorityLow: "低",
  priorityNormal: "普通",
  priorityHigh: "高",
  priorityUrgent: "紧急",
  openLink: "打开链接",
  title: "标题",
  body: "正文",
  noBody: "此消息没有正文。",
  receivedAt: "接收时间",
  channel: "频道",
  id: "ID",
  priorityLabel: "优先级",
  link: "链接",
  raw: "服务器原文",
  rawBytes: "服务器原文（二进制，base64 编码）",
  /** @param {{ limit: number }} variables */
  cut: ({ limit }) => `仅显示前 ${numbers.format(limit)} 个字符，复制时包含全部内容。`,
  copyBody: "复制正文",
  copyRaw: "复制原文",
  copied: "已复制",
  copyFailed: "桌面环境不允许 Tidings 复制。请选中文本后按 Ctrl+C 复制。",
  copyDiagnostics: "复制诊断信息",
  diagnosticsTitle: "诊断信息",
  diagnosticsHint: "桌面环境不允许自动复制。请按 Ctrl+C 复制此文本。",
  close: "关闭",
  /** @param {{ version: string }} variables */
  version: ({ version }) => `Tidings ${version}`,
};
