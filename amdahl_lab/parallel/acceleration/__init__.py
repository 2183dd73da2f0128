"""One part made faster, and what that does for the whole.

`parts`      one kind of layer of a real model made faster; the whole predicted, then measured
`reader`     that model, and a training step of it
`fusion`     the same arithmetic with fewer bytes moved
`unequal`    data parallelism on workers of different speed
`offload`    a product carried to a faster device and back: another rank, or a GPU
"""
