#!/usr/bin/env bash
# Installs the real servers and tools that tests use (Debian). Each missing one makes its tests skip with a message, and fail in CI.
set -euo pipefail
packages=()
command -v chromium >/dev/null || packages+=(chromium)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || packages+=(postgresql)
compgen -G "/usr/lib*/softhsm/libsofthsm2.so" >/dev/null || compgen -G "/usr/lib/*/softhsm/libsofthsm2.so" >/dev/null || packages+=(softhsm2)
command -v pkcs11-tool >/dev/null || packages+=(opensc)
command -v age >/dev/null || packages+=(age)
command -v sslscan >/dev/null || packages+=(sslscan)
command -v testssl >/dev/null || packages+=(testssl.sh)
command -v redis-server >/dev/null || packages+=(redis-server)
command -v swtpm >/dev/null || packages+=(swtpm)
[ ${#packages[@]} -eq 0 ] && { echo "test servers: all present"; exit 0; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq "${packages[@]}"
echo "test servers: installed ${packages[*]}"
