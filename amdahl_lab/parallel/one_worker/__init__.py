"""What one worker does: layers counted and timed, batches loaded, answers served, models shrunk.

`counting`      FLOPs and saved bytes as PyTorch itself counts them
`layers`        the layers that are counted and timed, each with its closed form
`operators`     layers against the clock
`loading`       a training step that waits for its input, with 0, 1, 2 and more loaders
`serving`       latency of single answers over the batch
`shrinking`     pruned and quantised models: time and accuracy

Timings run in one fresh rank with one thread, so that the notebook around them is left out.
"""
