"""What a field is called elsewhere: in papers, in other libraries, in speech."""

from __future__ import annotations

_CALLED = {
    "chain.corr_len": "xi correlation_length corr_length correlation_time memory tau",
    "chain.n_states": "states v vocab vocab_size vocabulary vocabulary_size alphabet q n_tokens"
    " num_states",
    "chain.family": "chain_type kind ensemble process",
    "chain.concentration": "alpha gamma shape",
    "chain.branching": "branching_ratio b",
    "chain.eigenvalues": "spectrum eigvals lambdas",
    "chain.matrix": "p transition transition_matrix transitions transmat stochastic_matrix",
    "chain.seed": "chain_seed disorder_seed",
    "chain.seeds": "chain_seeds draws n_draws n_chains disorder",
    "data.seq_len": "t sequence_length seq_length length context_length n_ctx max_len block_size",
    "data.mask_prob": "mask_ratio mask_rate masking mask_fraction p_mask mlm_probability",
    "model.mixing": "architecture arch model_type token_mixing",
    "model.context": "radius window window_size receptive_field c",
    "model.depth": "layers n_layers n_layer num_layers num_hidden_layers blocks n_blocks l",
    "model.width": "d d_model dim hidden hidden_size hidden_dim embed_dim n_embd embedding_dim"
    " units neurons d_embed",
    "model.hidden_ratio": "mlp_ratio expansion expansion_factor d_ff ffn_dim mlp_dim",
    "model.activation": "act act_fn nonlinearity non_linearity activation_function",
    "model.norm": "normalization normalisation layer_norm layernorm norm_type",
    "model.residual_scale": "residual_scaling branch_scale skip_scale s",
    "model.init_scale": "sigma_w init_std weight_scale gain",
    "training.steps": "epochs n_epochs n_steps num_steps iterations n_iter max_steps"
    " max_iter train_steps",
    "training.batch_size": "batch bs batchsize n_batch minibatch",
    "training.optimizer": "optim optimiser opt",
    "training.lr": "learning_rate eta step_size rate",
    "training.schedule": "scheduler lr_schedule lr_scheduler",
    "training.weight_decay": "wd l2 decay regularization",
    "training.grad_clip": "clip clip_norm max_grad_norm gradient_clip clip_grad",
    "measurement.n_sequences": "n_samples num_samples samples n_seq",
    "measurement.levels": "level rows",
    "measurement.at": "when checkpoints snapshots moments",
    "seeds": "n_seeds num_seeds random_seeds random_state rng_seed training_seed replicas"
    " n_replicas repeats n_repeats runs n_runs",
    "label": "title description",
    "tags": "tag keywords",
    "device": "gpu cuda accelerator",
}

SYNONYMS = {word: path for path, words in _CALLED.items() for word in words.split()}
"""Word -> dotted path of the field that it means."""


def meant(name: str) -> str | None:
    """The path of the field that a word means; None if it is no such word."""
    return SYNONYMS.get(name.strip().lower().replace("-", "_"))
