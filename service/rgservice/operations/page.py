"""The landing page: what this is, how it is doing, where to go."""

from __future__ import annotations

from html import escape

from sqlalchemy.orm import Session

from rgcontract import State
from rgstore.runs import count_all_runs
from rgstore.workers import live_workers

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RGLab</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto;
         padding: 0 1rem; }}
  h1 {{ margin-bottom: 0; }}
  dl {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(6rem, 1fr)); gap: 1rem; }}
  dt {{ opacity: .7; font-size: .85rem; }}
  dd {{ margin: 0; font-size: 1.6rem; font-variant-numeric: tabular-nums; }}
  pre {{ padding: .8rem 1rem; border: 1px solid #8884; border-radius: .4rem; overflow-x: auto; }}
</style>
</head>
<body>
<h1>RGLab</h1>
<p>Does depth coarse-grain, and does it do so selectively? Post a Markov chain, a residual network,
a training budget and seeds; read back, layer by layer and with error bars, what was measured.</p>
<dl>{numbers}</dl>
<p><a href="/docs">The API, to read and to try</a></p>
<pre>import rgclient
result = rgclient.submit(corr_len=7).wait()
result.effective_rank(level="position")</pre>
</body>
</html>
"""


def landing(session: Session) -> str:
    """The page, as HTML."""
    counts = dict.fromkeys(State, 0) | count_all_runs(session)
    shown = {f"runs {state}": number for state, number in counts.items()}
    shown["workers"] = len(live_workers(session))
    numbers = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{number}</dd></div>" for name, number in shown.items()
    )
    return _PAGE.format(numbers=numbers)
