#!/bin/bash
# What `cargo xtask package --check` runs as root in a fresh Debian: installs, upgrades and removes the package there,
# and uses it. Beside it, in /opt/check: old.deb, new.deb, tidings-server, tidings-demo, and the names of the packages
# of a desktop in `desktop`.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
cd /opt/check
listen=127.0.0.1:18080
push=0

step() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*"; exit 1; }
# Waits for up to 30 seconds.
until_() { for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.1; done; fail "never: $*"; }
packages() { dpkg-query -W -f '${Package}\n' | sort; }
installs() {
    packages >before
    apt-get install -y -qq "$@" >apt.log 2>&1 || { cat apt.log; fail "apt-get install $*"; }
    packages | comm -13 before -
}
# The agents of the user, by their ids.
agents() {
    local process
    for process in /proc/[0-9]*; do
        if [ "$(stat -c %U "$process")" = user ] && [ "$(cat "$process/comm")" = tidings ]; then
            echo "${process#/proc/}"
        fi
    done 2>/dev/null
}
none_runs() { [ -z "$(agents)" ]; }
ends() { kill "$(agents)" && until_ none_runs; }
as_user() { su --login user -c "$*"; }
push() {
    push=$((push + 1))
    exec 3<>/dev/tcp/${listen/://}
    printf 'POST /push/user HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: %s\r\n\r\n%s' ${#1} "$1" >&3
    cat <&3
    exec 3>&-
}
reaches_one() { push "$1" | grep -q '"links":1'; }
status() { as_user tidings status --json; }
connected() { status | grep -q '"state":"connected"'; }
unread() { status | grep -q "\"unread\":$1,"; }
since() { status | grep -o '"since":"[^"]*"'; }

step "a machine without a desktop: an older version, without what is recommended"
apt-get update -qq
added=$(installs --no-install-recommends ./old.deb)
[ "$added" = tidings ] || fail "apt installed $added"
useradd --create-home user
as_user tidings --version

step "tidings listen"
./tidings-server --log warn --listen $listen &
until_ push "for nobody"
as_user "tidings listen --json --url 'ws://$listen/ws/user-channel?user=user'" >listened &
until_ reaches_one "for listen"
until_ grep -q "for listen" listened
cat listened
ends

step "an agent that runs, with settings and a message"
as_user "mkdir -p .config/tidings"
cat >/home/user/.config/tidings/config.toml <<END
[[channel]]
name = "Here"
url = "ws://$listen/ws/user-channel?user=user"
END
chown -R user: /home/user/.config
sum=$(sha256sum /home/user/.config/tidings/config.toml)
as_user "tidings --background" &
until_ connected
reaches_one "before the upgrade" || fail "the message reached nobody"
until_ unread 1
agent=$(agents)
since=$(since)

step "an upgrade while it runs, with what is recommended"
before=$(dpkg-query -W -f '${Version}' tidings)
installs ./new.deb | wc -l
now=$(dpkg-query -W -f '${Version}' tidings)
[ "$before" != "$now" ] || fail "nothing was upgraded"
echo "from $before to $now"
! ldd /usr/bin/tidings /usr/bin/tidings-window | grep "not found" || fail "libraries are missing"
[ "$(agents)" = "$agent" ] || fail "another agent runs"
[ "$(since)" = "$since" ] || fail "the link is not the one of before: $(since), not $since"
readlink "/proc/$agent/exe" | grep -q deleted || fail "the agent is not the one of before the upgrade"
reaches_one "after the upgrade" || fail "the message reached nobody"
until_ unread 2
[ "$(sha256sum /home/user/.config/tidings/config.toml)" = "$sum" ] || fail "the settings changed"

step "the new version starts with the old one's inbox"
ends
as_user "tidings --background" &
until_ connected
until_ unread 2
ends

step "tray, notifications and window on a headless desktop"
# shellcheck disable=SC2046
installs --no-install-recommends $(cat desktop) | wc -l
ln -sf /usr/bin/tidings tidings
mkdir -p shots && chown user: shots
as_user /opt/check/tidings-demo --headless --out /opt/check/shots

step "removal"
dpkg -L tidings >theirs
apt-get purge -y -qq tidings >apt.log 2>&1 || { cat apt.log; fail "apt-get purge"; }
while read -r path; do
    [ -d "$path" ] || [ ! -e "$path" ] || fail "$path is left"
done <theirs
left=$(find / -xdev \( -path /proc -o -path /opt/check -o -path /home/user -o -path /tmp \) -prune -o -iname '*tidings*' -print)
[ -z "$left" ] || fail "left behind: $left"
[ "$(sha256sum /home/user/.config/tidings/config.toml)" = "$sum" ] || fail "the settings are gone"
[ -s /home/user/.local/share/tidings/inbox.db ] || fail "the inbox is gone"
echo "only the user's own is left:"
find /home/user -type f -ipath '*tidings*'
