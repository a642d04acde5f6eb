#!/usr/bin/env bash
# package: celery 5.7.0, kombu 5.7.0, redis 8.1.0
# guess: send_task(retry=False) fails at once when nothing listens at the broker's address
# seen: it fails after 6 s, whatever the socket's time-outs: Kombu opens its channel with retries of its own; `max_retries: 0` among the transport options ends them
# here: service/rgstore/messages.py publishes with max_retries 0, in a thread
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "celery[redis]==5.7.0" "kombu[redis]==5.7.0" "redis==8.1.0"
v/bin/python - <<'PY'
import socket, time
from celery import Celery
from kombu.exceptions import OperationalError

with socket.socket() as probe:  # a port on which nothing listens
    probe.bind(("127.0.0.1", 0))
    url = f"redis://127.0.0.1:{probe.getsockname()[1]}/0"

def seconds(**options):
    app = Celery(broker=url, set_as_current=False)
    app.conf.broker_transport_options = {"socket_timeout": 1, "socket_connect_timeout": 1} | options
    begin = time.monotonic()
    try:
        app.send_task("t", retry=False)
    except OperationalError:
        return time.monotonic() - begin
    raise SystemExit("it was sent")

plain, none = seconds(), seconds(max_retries=0)
print(f"send_task(retry=False) to a closed port: {plain:.1f} s; with max_retries 0: {none:.1f} s")
raise SystemExit(0 if plain > 4 and none < 2 else 1)
PY
