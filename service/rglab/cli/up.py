"""`rglab up`: the whole lab on this machine until Ctrl-C."""

from __future__ import annotations

import shlex
import sys
import time
from typing import Annotated

import typer

from rglab.cli.console import out, say, stop
from rglab.cli.options import bounds
from rglab.cli.signals import stoppable
from rglab.embedded.lab import AlreadyRunningError, Lab, LabError, running_lab
from rgstore.settings import Settings


def up(
    port: Annotated[
        int | None, typer.Option(help="Port of the API (default: RGLAB_PORT)", **bounds("port"))
    ] = None,
) -> None:
    """Start the servers, the API and a worker; run until Ctrl-C.

    RGLAB_DATABASE_URL and RGLAB_BROKER_URL name servers of your own; without them the embedded
    ones are started under RGLAB_DATA_DIR.
    """
    settings = Settings() if port is None else Settings(port=port)
    try:
        with stoppable(), running_lab(settings, say) as lab:
            out.print(welcome(lab), markup=False, soft_wrap=True)
            while True:
                lab.check()
                time.sleep(0.5)
    except KeyboardInterrupt:
        say("stopped")
    except AlreadyRunningError as error:
        stop(f"{error}: use it, or stop it first", 3)
    except (LabError, OSError) as error:
        stop(str(error))


def welcome(lab: Lab) -> str:
    """Where it is and two lines to paste."""
    here = shlex.quote(sys.executable)
    where = shlex.quote(str(lab.credentials.parent))
    credentials = shlex.quote(str(lab.credentials))
    read = 'import json, sys; print(json.load(open(sys.argv[1]))["token"])'
    python = "import rgclient; print(rgclient.submit(corr_len=7).wait())"
    return f"""
RGLab is at {lab.url}   (what the API takes and gives: {lab.url}/docs)
The token is in {lab.credentials}; Python on this machine finds it by itself.

with curl:
  export RGLAB_URL={lab.url}
  export RGLAB_TOKEN=$({here} -c '{read}' {credentials})
  curl -s "$RGLAB_URL/v1/experiments" -H "Authorization: Bearer $RGLAB_TOKEN" \\
    -H "Content-Type: application/json" -d '{{"chain": {{"corr_len": 7}}}}'

in Python:
  RGLAB_DATA_DIR={where} {here} -c '{python}'

Ctrl-C stops everything.
"""
