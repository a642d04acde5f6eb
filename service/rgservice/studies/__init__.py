"""`/v1/studies`: grids of experiments, steered and read as one thing.

It stands on `rgservice.experiments`. `asking` is what tells a grid from one submission, `found`
what tells a study from an experiment where it is found and steered, `views` what is read back.
"""
