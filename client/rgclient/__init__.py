"""Submit experiments to an RGLab server, wait for them, read the measurements.

In a notebook::

    import rgclient

    experiment = rgclient.submit(corr_len=7)
    result = experiment.wait()
    result.effective_rank()

    rgclient.study(corr_len=[1, 7], depth=[4, 8]).wait()
"""

import importlib.metadata

from rgclient._api import Health
from rgclient._client import Client
from rgclient._collapse import CollapseRatio
from rgclient._default import (
    experiments,
    forecast,
    get,
    get_study,
    studies,
    study,
    submit,
    submit_many,
    wait,
)
from rgclient._errors import (
    AmbiguousField,
    ClientClosed,
    Conflict,
    ContractMismatch,
    ExperimentCancelled,
    ExperimentFailed,
    FailedRun,
    Forbidden,
    InvalidSpec,
    InvalidValue,
    MissingExtra,
    NoServer,
    NotFound,
    NotMeasured,
    NotReady,
    OverLimit,
    QuotaExceeded,
    ResponseError,
    RGLabError,
    ServerError,
    ServerUnreachable,
    TooManyRequests,
    Unauthorized,
    UnknownField,
    UnreadableResult,
    WaitTimeout,
)
from rgclient._experiment import Experiment
from rgclient._findings import Findings
from rgclient._newer import NewerServer
from rgclient._result import Result
from rgclient._series import LayerArray, LayerPoint, LayerSeries
from rgclient._study import Study

__all__ = [
    "AmbiguousField",
    "Client",
    "ClientClosed",
    "CollapseRatio",
    "Conflict",
    "ContractMismatch",
    "Experiment",
    "ExperimentCancelled",
    "ExperimentFailed",
    "FailedRun",
    "Findings",
    "Forbidden",
    "Health",
    "InvalidSpec",
    "InvalidValue",
    "LayerArray",
    "LayerPoint",
    "LayerSeries",
    "MissingExtra",
    "NewerServer",
    "NoServer",
    "NotFound",
    "NotMeasured",
    "NotReady",
    "OverLimit",
    "QuotaExceeded",
    "RGLabError",
    "ResponseError",
    "Result",
    "ServerError",
    "ServerUnreachable",
    "Study",
    "TooManyRequests",
    "Unauthorized",
    "UnknownField",
    "UnreadableResult",
    "WaitTimeout",
    "experiments",
    "forecast",
    "get",
    "get_study",
    "studies",
    "study",
    "submit",
    "submit_many",
    "wait",
]


def __getattr__(name: str) -> str:
    """`__version__`, looked up when it is asked for: without an installation there is none."""
    if name != "__version__":
        raise AttributeError(f"module 'rgclient' has no attribute {name!r}")
    return importlib.metadata.version("rgclient")
