"""What the next worker buys, measured: more workers, uneven work, failures, batches, precision.

`studies`       strong and weak scaling, each worker loading its own share
`uneven`        pieces of different length, handed out beforehand or on demand
`checkpoints`   the state of a training run in one file that is whole or not there
`killed`        training that loses a process and goes on from its checkpoint
`batches`       steps and samples to a target over the batch
`precision`     the same steps with 32-bit and with 16-bit numbers
"""
