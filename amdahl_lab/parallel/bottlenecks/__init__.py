"""What a training step waits for, measured: arithmetic, memory, the link, the slowest, the input.

`roofline`      operators with their FLOPs and bytes, one core
`layout`        the same numbers in another order
`allocation`    memory that goes back to the system and comes again
`waits`         all-reduces of many sizes, stragglers, jitter, loading beside computing
`exchange`      gradients sent during the backward pass, and compressed
"""
