#!/usr/bin/env bash
# Make sure that a Chromium and a Korean font are there for the site's tests; installs Debian's where it may.
set -euo pipefail

browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
korean_font() { fc-list :lang=ko 2>/dev/null | grep -q .; }

if browser >/dev/null && korean_font; then exit 0; fi

sudo=""
if [ "$(id -u)" -ne 0 ]; then sudo="sudo -n"; fi
if command -v apt-get >/dev/null && $sudo true 2>/dev/null; then
    echo "Installing Chromium and a Korean font for the site's tests"
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig </dev/null >/dev/null
fi
if ! browser >/dev/null; then
    echo "The site's tests need Chromium: install it with your package manager, then run make test again." >&2
    exit 1
fi
