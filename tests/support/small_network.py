"""A network as small as can be with every part in it, and how it is trained."""

from __future__ import annotations

from rgcore.network import Architecture
from rgcore.training import TrainingPlan

ARCH = Architecture(
    n_states=4,
    seq_len=6,
    mixing="context",
    context=1,
    depth=2,
    width=5,
    hidden_ratio=1.5,
    activation="gelu",
    norm="layer",
    residual_scale=0.7,
    init_scale=1.0,
)
PLAN = TrainingPlan(
    steps=12,
    batch_size=3,
    mask_prob=0.3,
    optimizer="adamw",
    lr=1e-2,
    schedule="one_cycle",
    weight_decay=0.1,
    grad_clip=None,
)
