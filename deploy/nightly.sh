#!/bin/sh
# One night: yesterday's articles, folded into what the last 30 days kept. Called by cron and by systemd.
set -eu
day=${1:-$(date -u -d yesterday +%F)}
exec /opt/cleancopy/.venv/bin/cleancopy run "/srv/crawl/$day/" --output "/srv/clean/$day" \
    --index /srv/clean/index --index-run "$day" --log-format json \
    --metrics-file /var/lib/node_exporter/cleancopy.prom
