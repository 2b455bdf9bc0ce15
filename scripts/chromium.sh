#!/bin/sh
# The tests of the pages drive a real Chromium. Install Debian's where we may, else say what to do.
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing Chromium for the tests of the pages …"
  apt-get -qq update >/dev/null && \
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core fonts-noto-color-emoji >/dev/null && exit 0
fi
echo "The tests need Chromium: install it, for example with 'sudo apt-get install chromium'." >&2
exit 1
